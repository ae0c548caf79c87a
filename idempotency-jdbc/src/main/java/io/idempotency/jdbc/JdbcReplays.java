package io.idempotency.jdbc;

import io.idempotency.jdbc.QuarantineSearch.Chosen;
import io.idempotency.jdbc.QuarantineSearch.Found;
import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.ConflictException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import javax.sql.DataSource;

/**
 * Keeps replays in a table beside the quarantine. Anybody with the database may write a row there. Give it the same data source, prefix and schema as the
 * quarantine. Thread-safe.
 */
public final class JdbcReplays implements ReplayStore {

    /** The consumer name of the turns of nodes; no other consumer may have it. */
    public static final String CONSUMER = "idempotency.replay";

    private final DataSource dataSource;
    private final Tables tables;
    private final Duration claimTimeout;
    private final LongSupplier nanoTime;
    private final Connections connections;
    private final StoreDatabase database;
    private final ReplayRows rows;
    private final ReplayMembers members;
    private final WrittenReplays written;
    private final ReplayTurns turns;

    private JdbcReplays(DataSource dataSource, Tables tables, Duration claimTimeout, LongSupplier nanoTime) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.claimTimeout = claimTimeout;
        this.nanoTime = nanoTime;
        this.connections = new Connections(JdbcTransactions.on(dataSource));
        this.database = new StoreDatabase(tables, claimTimeout);
        this.rows = new ReplayRows(tables);
        this.members = new ReplayMembers(tables, database);
        this.written = new WrittenReplays(database, rows, members, nanoTime);
        this.turns = new ReplayTurns(TableStore.builder(dataSource)
                .schema(tables.schema())
                .tablePrefix(tables.prefix())
                .claimTimeout(claimTimeout)
                .build());
    }

    /** Returns the replays with the default table names on the data source. Does not connect yet. */
    public static JdbcReplays on(DataSource dataSource) {
        return new JdbcReplays(dataSource, Tables.standard(), StoreDatabase.DEFAULT_CLAIM_TIMEOUT, System::nanoTime);
    }

    /** Returns replays whose table names begin with the prefix. */
    public JdbcReplays tablePrefix(String prefix) {
        return new JdbcReplays(dataSource, new Tables(tables.schema(), prefix), claimTimeout, nanoTime);
    }

    /** Returns replays whose tables are in the schema. */
    public JdbcReplays schema(String name) {
        return new JdbcReplays(dataSource, new Tables(name, tables.prefix()), claimTimeout, nanoTime);
    }

    /**
     * Returns replays that wait so long for another transaction before they fail transiently; 5 seconds by default.
     *
     * @throws IdempotencyException if the timeout is not positive
     */
    public JdbcReplays claimTimeout(Duration timeout) {
        return new JdbcReplays(dataSource, tables, timeout, nanoTime);
    }

    /** Returns replays with another clock of the process, for tests. */
    JdbcReplays nanoTime(LongSupplier clock) {
        return new JdbcReplays(dataSource, tables, claimTimeout, clock);
    }

    /** {@inheritDoc} Processed messages are counted by the table of messages; a journal is not searched. */
    @Override
    public ReplayPlan plan(ReplayRequest request) {
        return connections.joining("plan a replay", connection -> {
            Chosen chosen = search(connection, request.selection()).chosen();
            Map<String, Long> byFailure = new HashMap<>();
            Map<String, Long> byPartition = new LinkedHashMap<>();
            for (Found found : chosen.free()) {
                byFailure.merge(found.summary().failureType(), 1L, Long::sum);
                byPartition.merge(partition(found.summary().delivery().position()), 1L, Long::sum);
            }
            Optional<Instant> oldest = chosen.free().stream()
                    .map(found -> found.summary().firstAt())
                    .min(Comparator.naturalOrder());
            return new ReplayPlan(
                    chosen.free().size(),
                    chosen.others().values().stream().mapToLong(Long::longValue).sum(),
                    chosen.free().stream().filter(JdbcReplays::isWithoutBytes).count(),
                    members.processed(connection, chosen.free()),
                    QuarantineCount.sorted(byFailure),
                    byPartition,
                    oldest);
        });
    }

    private static String partition(Position position) {
        return position.equals(Position.UNKNOWN) ? position.toString() : position.stream() + "-" + position.partition();
    }

    private static boolean isWithoutBytes(Found found) {
        return found.origin() == Origin.POSITION_ONLY || found.origin() == Origin.SWITCHED_OFF;
    }

    private QuarantineSearch search(Connection connection, QuarantineSelection selection) throws SQLException {
        return new QuarantineSearch(connection, database, tables, selection, new HashMap<>());
    }

    @Override
    public Replay request(ReplayRequest request) {
        return connections.joining("request a replay", connection -> {
            Optional<ReplayRows.Row> existing = rows.find(connection, request.id());
            return existing.isPresent() ? existing.get().replay().askedAgain(request) : begin(connection, request);
        });
    }

    private Replay begin(Connection connection, ReplayRequest request) throws SQLException {
        Dialect dialect = database.dialect(connection);
        Chosen chosen = search(connection, request.selection()).chosen();
        if (chosen.free().isEmpty()) {
            throw nothing(request, chosen);
        }
        int consumer = chosen.free().get(0).key().consumer();
        try {
            rows.insert(connection, dialect, request, consumer);
        } catch (SQLException e) {
            if (SqlFailures.isDuplicateKey(e)) {
                throw new TransientStoreException(
                        "Somebody else requests the replay " + request.id() + " right now", e);
            }
            throw e;
        }
        members.join(connection, request.id(), consumer, chosen.free());
        long total = members.count(connection, request.id(), consumer);
        if (total == 0) {
            throw new TransientStoreException(
                    "Another request has just taken all messages of the replay " + request.id() + "; run it again");
        }
        rows.setTotal(connection, dialect, request.id(), total);
        return rows.find(connection, request.id()).orElseThrow().replay();
    }

    private static ConflictException nothing(ReplayRequest request, Chosen chosen) {
        return new ConflictException(
                chosen.others().isEmpty()
                        ? "There is nothing to replay: the quarantine has no " + request.selection()
                        : "There is nothing to replay: all " + request.selection() + " belong to running replays "
                                + chosen.others().keySet() + ". Wait for these, or stop them");
    }

    @Override
    public Optional<Replay> find(String id) {
        return connections.joining(
                "find a replay", connection -> rows.find(connection, id).map(ReplayRows.Row::replay));
    }

    @Override
    public List<Replay> list(String consumer, int limit) {
        return connections.joining(
                "list replays",
                connection -> rows.list(connection, database.dialect(connection), consumer, limit).stream()
                        .map(ReplayRows.Row::replay)
                        .toList());
    }

    @Override
    public boolean pause(String id) {
        return connections.joining(
                "pause a replay",
                connection -> rows.move(connection, database.dialect(connection), id, Status.RUNNING, Status.PAUSED));
    }

    @Override
    public boolean resume(String id) {
        return connections.joining(
                "resume a replay",
                connection -> rows.move(connection, database.dialect(connection), id, Status.PAUSED, Status.RUNNING));
    }

    @Override
    public boolean stop(String id, String why) {
        return connections.joining(
                "stop a replay",
                connection -> rows.end(connection, database.dialect(connection), id, Status.STOPPED, why));
    }

    /**
     * {@inheritDoc} A row that somebody has inserted gets its time and its total as soon as it has messages, and is stopped if it has none for a minute. One
     * round trip, and a few more for such a row.
     */
    @Override
    public List<Replay> running(String consumer) {
        return connections.joining("look for replays", connection -> written.running(connection, consumer));
    }

    @Override
    public List<Partition> partitions(String id) {
        return connections.joining("list the partitions of a replay", connection -> {
            Optional<ReplayRows.Row> row = rows.find(connection, id);
            return row.isEmpty()
                    ? List.of()
                    : members.partitions(connection, id, row.get().consumer());
        });
    }

    @Override
    public boolean takeTurn(String consumer, Partition partition, String node, Duration length) {
        return turns.take(consumer, partition, node, length);
    }

    @Override
    public void endTurn(String consumer, Partition partition, String node) {
        turns.end(consumer, partition, node);
    }

    @Override
    public List<Item> next(String id, Partition partition, int limit) {
        return connections.joining("list the messages of a replay", connection -> {
            Optional<ReplayRows.Row> row =
                    rows.find(connection, id).filter(found -> found.replay().status() == Status.RUNNING);
            return row.isEmpty() ? List.of() : members.next(connection, row.get(), partition, limit);
        });
    }

    @Override
    public void count(String id, ReplayResult result, Optional<QuarantineFailure> failure) {
        connections.joining("count a replayed message", connection -> {
            new ReplayCount(connection, database.dialect(connection), tables, id).count(result, failure);
            return true;
        });
    }

    @Override
    public boolean endIfDone(String id) {
        return connections.joining("end a replay", connection -> {
            Optional<ReplayRows.Row> row = rows.find(connection, id);
            if (row.isEmpty()
                    || row.get().replay().status() != Status.RUNNING
                    || !row.get().isComplete()) {
                return row.isEmpty() || row.get().replay().status().hasEnded();
            }
            // Not in one statement: its lock on the replay would wait for a message whose transaction is about to
            // count.
            return members.count(connection, id, row.get().consumer()) == 0
                    && rows.end(
                            connection,
                            database.dialect(connection),
                            id,
                            Status.DONE,
                            row.get().replay().progress().whyLeft().orElse(null));
        });
    }
}
