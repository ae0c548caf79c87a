package io.idempotency.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Journals in PostgreSQL: all segments of a claim by one statement. */
final class PostgresJournals extends Journals {

    private final String lockTimeout;
    private final String append;
    private final String lock;
    private final String prove;
    private final String create;

    PostgresJournals(Tables tables, PostgresDialect dialect) {
        super(tables, dialect);
        this.lockTimeout = dialect.lockTimeout();
        this.append = PostgresDialect.filled(tables, APPEND);
        this.lock = PostgresDialect.filled(tables, LOCK);
        this.prove = PostgresDialect.filled(tables, PROVE);
        this.create = PostgresDialect.filled(tables, CREATE);
    }

    /** The parts are run in the order in which they need each other: first all locks, then the comparison, and only then a segment. */
    private static final String APPEND = """
            with ${bounded}, asked as materialized (
                select * from unnest(?::integer[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
                        ?::bigint[], ?::smallint[], ?::bytea[], ?::bytea[])
                    as a (consumer, place, version, token, next_token, first_offset, last_offset, kind, gaps, ids)
            ), locked as materialized (
                select j.consumer, j.place, j.version, j.token, j.at_micros, j.horizon_version, j.horizon_offset,
                    j.partitions
                from bounded, asked a join ${tables}journal j using (consumer, place)
                order by j.consumer, j.place
                for no key update of j
            ), fitting as materialized (
                select count(*) = (select count(*) from asked) as is_done, ${clock} as now
                from locked l join asked a using (consumer, place, version, token)
            ), appended as (
                insert into ${tables}segment
                    (place, version, token, at_micros, first_offset, last_offset, consumer, kind, gaps, ids)
                select a.place, a.version + 1, a.next_token, greatest(l.at_micros, f.now), a.first_offset, a.last_offset,
                    a.consumer, a.kind, a.gaps, a.ids
                from fitting f, locked l join asked a using (consumer, place)
                where f.is_done
            ), stepped as (
                update ${tables}journal j
                set version = a.version + 1, token = a.next_token, at_micros = greatest(l.at_micros, f.now)
                from fitting f, locked l join asked a using (consumer, place)
                where f.is_done and j.consumer = a.consumer and j.place = a.place
            ), restored as materialized (
                select set_config('lock_timeout', before.lock_timeout, true)
                from before, (select count(*) from locked) as all_locked
            )
            select l.*, f.is_done, greatest(l.at_micros, f.now) as segment_at, f.now,
                pg_current_xact_id()::text as transaction_id
            from restored, fitting f left join locked l on true
            order by l.consumer, l.place
            """;

    @Override
    public Appended append(Connection connection, List<Append> appends) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(append)) {
            statement.setString(1, lockTimeout);
            // Arrays of primitives go in binary.
            statement.setObject(
                    2, appends.stream().mapToInt(a -> a.key().consumer()).toArray());
            statement.setObject(3, longs(appends, a -> a.key().place()));
            statement.setObject(4, longs(appends, a -> a.behind().version()));
            statement.setObject(5, longs(appends, a -> a.behind().token()));
            statement.setObject(6, longs(appends, a -> a.next().token()));
            statement.setObject(7, longs(appends, a -> a.content().first()));
            statement.setObject(8, longs(appends, a -> a.content().last()));
            statement.setArray(9, array(connection, "smallint", appends, a ->
                    (short) a.content().kind().number()));
            statement.setArray(10, bytes(connection, appends, a -> a.content().packedGaps()));
            statement.setArray(11, bytes(connection, appends, a -> a.content().packedIds()));
            try (ResultSet result = statement.executeQuery()) {
                return appended(result);
            }
        }
    }

    private static Appended appended(ResultSet result) throws SQLException {
        List<Head> heads = new ArrayList<>();
        Map<JournalKey, Long> times = new TreeMap<>();
        boolean isDone = false;
        long now = 0;
        @Nullable String transactionId = null;
        while (result.next()) {
            isDone = result.getBoolean(9);
            now = result.getLong(11);
            transactionId = result.getString(12);
            Head head = readHead(result);
            if (head.key().consumer() != 0) {
                heads.add(head);
                times.put(head.key(), result.getLong(10));
            }
        }
        return new Appended(isDone, heads, times, transactionId, now);
    }

    private static final String LOCK = """
            with ${bounded}, locked as materialized (
                select j.consumer, j.place, j.version, j.token, j.at_micros, j.horizon_version, j.horizon_offset,
                    j.partitions
                from bounded, unnest(?::integer[], ?::bigint[]) as a (consumer, place)
                    join ${tables}journal j using (consumer, place)
                order by j.consumer, j.place
                for no key update of j
            ), restored as materialized (
                select set_config('lock_timeout', before.lock_timeout, true)
                from before, (select count(*) from locked) as all_locked
            )
            select l.* from restored, locked l
            """;

    @Override
    List<Head> lock(Connection connection, Collection<JournalKey> keys) throws SQLException {
        List<JournalKey> all = List.copyOf(keys);
        try (PreparedStatement statement = connection.prepareStatement(lock)) {
            statement.setString(1, lockTimeout);
            statement.setArray(2, array(connection, "integer", all, JournalKey::consumer));
            statement.setArray(3, array(connection, "bigint", all, JournalKey::place));
            return readHeads(statement);
        }
    }

    private static final String PROVE = """
            select pg_current_xact_id_if_assigned()::text = ? and ? = (
                select count(*)
                from ${tables}journal
                join unnest(?::integer[], ?::bigint[], ?::bigint[], ?::bigint[]) as e (consumer, place, version, token)
                    using (consumer, place, version, token))
            """;

    @Override
    public boolean isSame(Connection connection, Evidence evidence, Map<JournalKey, Tip> tips) throws SQLException {
        if (tips.isEmpty()) {
            return true;
        }
        List<Map.Entry<JournalKey, Tip>> all = List.copyOf(tips.entrySet());
        try (PreparedStatement statement = connection.prepareStatement(prove)) {
            statement.setString(1, evidence.transactionId());
            statement.setInt(2, all.size());
            statement.setArray(
                    3, array(connection, "integer", all, e -> e.getKey().consumer()));
            statement.setArray(
                    4, array(connection, "bigint", all, e -> e.getKey().place()));
            statement.setArray(
                    5, array(connection, "bigint", all, e -> e.getValue().version()));
            statement.setArray(
                    6, array(connection, "bigint", all, e -> e.getValue().token()));
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getBoolean(1);
            }
        }
    }

    private static final String CREATE = """
            with ${bounded}, created as (
                insert into ${tables}journal
                    (consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions)
                select ?, ?, 0, 0, 0, 0, -1, ? from bounded
                on conflict do nothing
                returning 1
            ), restored as materialized (
                select set_config('lock_timeout', before.lock_timeout, true)
                from before, (select count(*) from created) as all_created
            )
            select count(*) from restored
            """;

    @Override
    public void create(Connection connection, JournalKey key, int partitions) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(create)) {
            statement.setString(1, lockTimeout);
            statement.setInt(2, key.consumer());
            statement.setLong(3, key.place());
            statement.setInt(4, partitions);
            statement.execute();
        }
    }

    @Override
    @Nullable
    String transactionId(Connection connection) {
        throw new IllegalStateException("The append tells it");
    }

    @Override
    String skipLocked() {
        return "for no key update of j skip locked";
    }

    private static <T> Array array(Connection connection, String type, List<T> values, Function<T, ?> element)
            throws SQLException {
        return connection.createArrayOf(type, values.stream().map(element).toArray());
    }

    private static <T> long[] longs(List<T> values, ToLongFunction<T> element) {
        return values.stream().mapToLong(element).toArray();
    }

    private static <T> Array bytes(Connection connection, List<T> values, Function<T, byte[]> element)
            throws SQLException {
        return connection.createArrayOf("bytea", values.stream().map(element).toArray(byte[][]::new));
    }
}
