package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The statements for PostgreSQL 14 and later: one for any number of new messages, one more if some are known (two more for a single message).
 * Statements count rows in order to read the clock only after they have waited for all rows.
 *
 * <p>Each array is a query of its own. So the planner cannot see its length, and makes one plan for all calls instead of one for each.
 * The contestants {@code table-record} and {@code journal-batch} of the benchmark {@code all-new} measure it.
 */
final class PostgresDialect implements MessageDialect {

    private static final String CLOCK = "(date_part('epoch', clock_timestamp()) * 1000000)::bigint";

    private static final UUID NOBODY = new UUID(0, 0);

    private final Tables tables;
    private final PostgresWaiting waiting;
    private final String insert;
    private final PostgresClaims claims;
    private final String takeOver;
    private final String lock;
    private final String insertName;
    private final PostgresPurge purge;
    private final PostgresAdoption adoption;

    PostgresDialect(Tables tables, Duration claimTimeout) {
        this.tables = tables;
        this.waiting = new PostgresWaiting(claimTimeout);
        this.insert = waiting.bounded(filled(tables, INSERT));
        this.claims = new PostgresClaims(tables, waiting);
        this.takeOver = waiting.bounded(filled(tables, TAKE_OVER));
        this.lock = waiting.bounded(filled(tables, LOCK));
        this.insertName = waiting.bounded(filled(tables, INSERT_NAME));
        this.purge = new PostgresPurge(tables);
        this.adoption = new PostgresAdoption(tables, waiting);
    }

    static String filled(Tables tables, String sql) {
        return tables.fill(sql.replace("${clock}", CLOCK));
    }

    @Override
    public PostgresWaiting waiting() {
        return waiting;
    }

    @Override
    public void prepareProof(Connection connection, Evidence evidence) throws SQLException {
        PostgresProof.prepare(connection, evidence);
    }

    /** {@inheritDoc} On PostgreSQL, READ UNCOMMITTED is READ COMMITTED; asking the driver would cost a round trip. */
    @Override
    public boolean isReadingUncommitted(Connection connection) {
        return false;
    }

    @Override
    public void prove(Connection connection, ActiveTransaction active, Remains remains) throws SQLException {
        PostgresProof.prove(connection, active, remains);
    }

    @Override
    public int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            parameters.set(statement);
            return statement.executeUpdate();
        }
    }

    @Override
    public int update(Connection connection, String sql, Parameters parameters) throws SQLException {
        return waiting.update(connection, sql, parameters);
    }

    private static final String INSERT = """
            with inserted as (
                insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
                select ${clock} + ?, a.record_offset, a.place, a.consumer, ?, a.message_id
                from unnest((select ?::integer[]), (select ?::uuid[]), (select ?::bigint[]), (select ?::bigint[]))
                    as a (consumer, message_id, record_offset, place)
                order by a.consumer, a.message_id
                on conflict (consumer, message_id) do nothing
                returning consumer, message_id, at_micros, state, record_offset, place, true as granted
            )
            select inserted.*, ${clock} as now from inserted, (select count(*) from inserted) as all_inserted
            """;

    @Override
    public List<MessageRow> insert(
            Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            statement.setLong(1, aheadMicros);
            statement.setInt(2, state.packed());
            PostgresArrays.setArrivals(statement, 3, arrivals);
            return known(statement);
        }
    }

    @Override
    public List<MessageRow> claim(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        return claims.claim(connection, arrivals, evidence);
    }

    /**
     * Claims free rows and reads the others. It locks only free rows, because locks on processed rows would block bystanders. If a row changes during the
     * wait, it is free in one part of the statement and not in the other, and is not returned.
     *
     * <p>The row that the trigger guards is written once more. If a savepoint stands between the two statements, its {@code xmin} then differs from that of
     * the rows claimed with it. So the setting keeps the {@code xmin} of those.
     *
     * <p>Each message is looked up by a query of its own, which can only use the key. The plan of a join that was made while the table was small reads the
     * whole table, until the statistics are updated. The contestant {@code table-batch} of the benchmark {@code 10-percent-duplicates} measures it.
     */
    private static final String TAKE_OVER = """
            with asked as materialized (
                select * from unnest((select ?::integer[]), (select ?::uuid[]), (select ?::bigint[]), (select ?::bigint[]))
                    as a (consumer, message_id, record_offset, place)
                order by consumer, message_id
            ), free as materialized (
                select a.*
                from asked a cross join lateral (
                    select from ${tables}message m
                    where m.consumer = a.consumer and m.message_id = a.message_id
                        and m.state < ? and (m.state >= ?
                            or m.at_micros <= ${clock} - case when m.state & 255 = ? then ? else 0::bigint end)
                    for update
                ) as m
            ), taken as (
                update ${tables}message m
                set at_micros = ${clock}, record_offset = free.record_offset, place = free.place,
                    state = ? + (least((m.state >> 16 & 8191) + 1, 8191) << 16) + (m.state & 65280) + ?
                from free
                where m.consumer = free.consumer and m.message_id = free.message_id
                returning m.consumer, m.message_id, m.at_micros, m.state, m.record_offset, m.place, true as granted
            ), guarded as (
                update ${tables}message m set state = m.state | ?
                from (
                    select consumer, message_id, set_config('idempotency.claimants',
                        concat_ws(' ', current_setting('idempotency.claimants', true), xmin), true)
                    from ${tables}message where consumer = ? and message_id = ?
                    offset 0
                ) as g
                where m.consumer = g.consumer and m.message_id = g.message_id
            ), known as (
                select * from taken
                union all
                select a.consumer, a.message_id, m.*, false
                from asked a cross join lateral (
                    select at_micros, state, m.record_offset, m.place from ${tables}message m
                    where m.consumer = a.consumer and m.message_id = a.message_id
                    offset 0
                ) as m
                where not exists (
                    select from taken t where t.consumer = a.consumer and t.message_id = a.message_id)
            )
            select known.*, ${clock} as now from known, (select count(*) from taken) as all_taken
            """;

    @Override
    public List<MessageRow> takeOver(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(takeOver)) {
            PostgresArrays.setArrivals(statement, 1, arrivals);
            statement.setInt(5, MessageState.FIRST_SETTLED);
            statement.setInt(6, MessageState.FIRST_RELEASED);
            statement.setInt(7, MessageState.UNPROVED);
            statement.setLong(8, MessageRow.UNPROVED_MICROS);
            statement.setInt(9, MessageState.processed(0, 0).packed());
            statement.setInt(10, MessageState.UNPROVED);
            MessageKey guarded = evidence.takeUnguarded();
            statement.setInt(11, MessageState.UNPROVED);
            statement.setInt(12, guarded == null ? 0 : guarded.consumer());
            statement.setObject(13, guarded == null ? NOBODY : guarded.id());
            return known(statement);
        }
    }

    private static final String LOCK = """
            with asked as materialized (
                select * from unnest((select ?::integer[]), (select ?::uuid[])) as a (consumer, message_id)
                order by consumer, message_id
            ), locked as materialized (
                select m.*
                from asked a cross join lateral (
                    select * from ${tables}message m
                    where m.consumer = a.consumer and m.message_id = a.message_id and m.state < ?
                    for update
                ) as m
            ), known as (
                select * from locked
                union all
                select m.*
                from asked a cross join lateral (
                    select * from ${tables}message m
                    where m.consumer = a.consumer and m.message_id = a.message_id and m.state >= ?
                    offset 0
                ) as m
            )
            select known.consumer, message_id, at_micros, state, record_offset, place, false as granted, ${clock} as now
            from known, (select count(*) from locked) as all_locked
            """;

    @Override
    public List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(lock)) {
            statement.setArray(1, PostgresArrays.array(connection, "integer", keys, MessageKey::consumer));
            statement.setArray(2, PostgresArrays.array(connection, "uuid", keys, MessageKey::id));
            statement.setInt(3, MessageState.FIRST_SETTLED);
            statement.setInt(4, MessageState.FIRST_SETTLED);
            return known(statement);
        }
    }

    private static final String INSERT_NAME = """
            insert into ${tables}name (id, name) values (?, ?) on conflict do nothing returning id
            """;

    @Override
    public boolean insertName(Connection connection, int number, String name) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(insertName)) {
            statement.setInt(1, number);
            statement.setString(2, name);
            try (ResultSet result = waiting.run(statement)) {
                return result.next() || StoredName.isSame(connection, tables, number, name);
            }
        }
    }

    @Override
    public Purged purge(Connection connection, int consumer, long before, int limit) throws SQLException {
        return purge.run(connection, consumer, before, limit);
    }

    @Override
    public Inserted adopt(Connection connection, List<MessageRow> rows) throws SQLException {
        return adoption.run(connection, rows);
    }

    @Override
    public long now(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select " + CLOCK);
                ResultSet result = statement.executeQuery()) {
            result.next();
            return result.getLong(1);
        }
    }

    @Override
    public String clock() {
        return CLOCK;
    }

    @Override
    public Object id(UUID id) {
        return id;
    }

    private List<MessageRow> known(PreparedStatement statement) throws SQLException {
        List<MessageRow> rows = new ArrayList<>();
        try (ResultSet result = waiting.run(statement)) {
            while (result.next()) {
                rows.add(new MessageRow(
                        new MessageKey(result.getInt(1), result.getObject(2, UUID.class)),
                        result.getLong(3),
                        MessageState.of(result.getInt(4)),
                        result.getLong(5),
                        result.getLong(6),
                        result.getLong(8),
                        result.getBoolean(7)));
            }
        }
        return rows;
    }
}
