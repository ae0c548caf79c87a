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

/** The statements for journals on PostgreSQL: one appends all segments of a claim. */
final class PostgresJournals extends Journals {

    private final PostgresWaiting waiting;
    private final String appendOne;
    private final String appendMany;
    private final String lock;
    private final String create;

    PostgresJournals(Tables tables, PostgresDialect dialect) {
        super(tables, dialect);
        this.waiting = dialect.waiting();
        this.appendOne = waiting.marking(PostgresDialect.filled(tables, APPEND_ONE));
        this.appendMany = waiting.marking(PostgresDialect.filled(tables, APPEND_MANY));
        this.lock = waiting.bounded(PostgresDialect.filled(tables, LOCK));
        this.create = waiting.bounded(PostgresDialect.filled(tables, CREATE));
    }

    @Override
    public Appended append(Connection connection, List<Append> appends, Evidence evidence) throws SQLException {
        long mark = PostgresProof.newMark();
        Appended appended = appends.size() == 1
                ? appendOne(connection, appends.get(0), mark)
                : appendMany(connection, appends, mark);
        evidence.addMark(mark);
        return appended;
    }

    /**
     * Appends to one journal, the usual case for a poll. The update itself locks the head, so this takes half the time of the other statement. The
     * contestant {@code journal-batch} of the benchmark {@code all-new} measures it.
     */
    private static final String APPEND_ONE = """
            with stepped as (
                update ${tables}journal
                set version = version + 1, token = ?, at_micros = greatest(at_micros, ${clock})
                where consumer = ? and place = ? and version = ? and token = ?
                returning consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions,
                    archived_version
            ), appended as (
                insert into ${tables}segment
                    (place, version, token, at_micros, first_offset, last_offset, consumer, kind, gaps, ids)
                select place, version, token, at_micros, ?, ?, consumer, ?, ?, ? from stepped
            )
            select stepped.*, ${clock} from (select) as always left join stepped on true
            """;

    private Appended appendOne(Connection connection, Append append, long mark) throws SQLException {
        JournalKey key = append.key();
        try (PreparedStatement statement = connection.prepareStatement(appendOne)) {
            statement.setLong(1, append.next().token());
            statement.setInt(2, key.consumer());
            statement.setLong(3, key.place());
            statement.setLong(4, append.behind().version());
            statement.setLong(5, append.behind().token());
            statement.setLong(6, append.content().first());
            statement.setLong(7, append.content().last());
            statement.setInt(8, append.content().kind().number());
            statement.setBytes(9, append.content().packedGaps());
            statement.setBytes(10, append.content().packedIds());
            statement.setLong(11, mark);
            try (ResultSet result = waiting.run(statement)) {
                result.next();
                JournalHead stepped = readHead(result);
                long now = result.getLong(10);
                if (stepped.key().equals(key)) {
                    return new Appended(true, List.of(stepped), Map.of(key, stepped.at()), now);
                }
                return new Appended(false, lock(connection, List.of(key)), Map.of(), now);
            }
        }
    }

    /** Appends to several journals. The parts depend on each other, so they run in order: all locks, then the comparison, then the segments. */
    private static final String APPEND_MANY = """
            with locked as materialized (
                select j.consumer, j.place, j.version, j.token, j.at_micros, j.horizon_version, j.horizon_offset,
                    j.partitions, j.archived_version, j.version = a.version and j.token = a.token as is_fitting,
                    a.next_token, a.first_offset, a.last_offset, a.kind, a.gaps, a.ids
                from unnest((select ?::integer[]), (select ?::bigint[]), (select ?::bigint[]),
                        (select ?::bigint[]), (select ?::bigint[]), (select ?::bigint[]), (select ?::bigint[]),
                        (select ?::smallint[]), (select ?::bytea[]), (select ?::bytea[]))
                    as a (consumer, place, version, token, next_token, first_offset, last_offset, kind, gaps, ids)
                    join ${tables}journal j using (consumer, place)
                order by j.consumer, j.place
                for no key update of j
            ), fitting as materialized (
                select count(*) filter (where is_fitting) = ? as is_done, ${clock} as now from locked
            ), appended as (
                insert into ${tables}segment
                    (place, version, token, at_micros, first_offset, last_offset, consumer, kind, gaps, ids)
                select l.place, l.version + 1, l.next_token, greatest(l.at_micros, f.now), l.first_offset,
                    l.last_offset, l.consumer, l.kind, l.gaps, l.ids
                from fitting f, locked l
                where f.is_done
            ), stepped as (
                update ${tables}journal j
                set version = l.version + 1, token = l.next_token, at_micros = greatest(l.at_micros, f.now)
                from fitting f, locked l
                where f.is_done and j.consumer = l.consumer and j.place = l.place
            )
            select l.consumer, l.place, l.version, l.token, l.at_micros, l.horizon_version, l.horizon_offset,
                l.partitions, l.archived_version, f.is_done, greatest(l.at_micros, f.now), f.now
            from fitting f left join locked l on true
            order by l.consumer, l.place
            """;

    private Appended appendMany(Connection connection, List<Append> appends, long mark) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(appendMany)) {
            // The driver sends arrays of primitives in binary.
            statement.setObject(
                    1, appends.stream().mapToInt(a -> a.key().consumer()).toArray());
            statement.setObject(2, longs(appends, a -> a.key().place()));
            statement.setObject(3, longs(appends, a -> a.behind().version()));
            statement.setObject(4, longs(appends, a -> a.behind().token()));
            statement.setObject(5, longs(appends, a -> a.next().token()));
            statement.setObject(6, longs(appends, a -> a.content().first()));
            statement.setObject(7, longs(appends, a -> a.content().last()));
            statement.setArray(8, PostgresArrays.array(connection, "smallint", appends, a ->
                    (short) a.content().kind().number()));
            statement.setArray(9, bytes(connection, appends, a -> a.content().packedGaps()));
            statement.setArray(10, bytes(connection, appends, a -> a.content().packedIds()));
            statement.setInt(11, appends.size());
            statement.setLong(12, mark);
            try (ResultSet result = waiting.run(statement)) {
                return appended(result);
            }
        }
    }

    private static Appended appended(ResultSet result) throws SQLException {
        List<JournalHead> heads = new ArrayList<>();
        Map<JournalKey, Long> times = new TreeMap<>();
        boolean isDone = false;
        long now = 0;
        while (result.next()) {
            isDone = result.getBoolean(10);
            now = result.getLong(12);
            JournalHead head = readHead(result);
            if (head.key().consumer() != 0) {
                heads.add(head);
                times.put(head.key(), result.getLong(11));
            }
        }
        return new Appended(isDone, heads, times, now);
    }

    private static final String LOCK = """
            select j.consumer, j.place, j.version, j.token, j.at_micros, j.horizon_version, j.horizon_offset,
                j.partitions, j.archived_version
            from unnest((select ?::integer[]), (select ?::bigint[])) as a (consumer, place)
                join ${tables}journal j using (consumer, place)
            order by j.consumer, j.place
            for no key update of j
            """;

    @Override
    List<JournalHead> lock(Connection connection, Collection<JournalKey> keys) throws SQLException {
        List<JournalKey> all = List.copyOf(keys);
        try (PreparedStatement statement = connection.prepareStatement(lock)) {
            statement.setObject(1, all.stream().mapToInt(JournalKey::consumer).toArray());
            statement.setObject(2, longs(all, JournalKey::place));
            return readHeads(waiting.run(statement));
        }
    }

    /** {@inheritDoc} The mark of an append exists exactly as long as its segments. */
    @Override
    public void prove(Connection connection, ActiveTransaction active) throws SQLException {
        PostgresProof.prove(connection, active, at -> settle(at, active));
    }

    private static final String CREATE = """
            insert into ${tables}journal
                (consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions)
            values (?, ?, 0, 0, 0, 0, -1, ?)
            on conflict do nothing
            """;

    @Override
    public void create(Connection connection, JournalKey key, int partitions) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(create)) {
            statement.setInt(1, key.consumer());
            statement.setLong(2, key.place());
            statement.setInt(3, partitions);
            statement.execute();
        }
    }

    @Override
    String skipLocked() {
        return "for no key update of j skip locked";
    }

    private static <T> long[] longs(List<T> values, ToLongFunction<T> element) {
        return values.stream().mapToLong(element).toArray();
    }

    private static <T> Array bytes(Connection connection, List<T> values, Function<T, byte[]> element)
            throws SQLException {
        return connection.createArrayOf("bytea", values.stream().map(element).toArray(byte[][]::new));
    }
}
