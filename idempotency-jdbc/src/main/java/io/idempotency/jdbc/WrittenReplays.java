package io.idempotency.jdbc;

import io.idempotency.replay.Replay;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Takes up the replays of a consumer, as they are in their table: completes the rows that somebody has written there, and stops those that make no sense.
 * Thread-safe.
 */
final class WrittenReplays {

    /** How long a row may be without messages: its author may write both by hand, in two transactions. */
    static final Duration MOST_WITHOUT_MESSAGES = Duration.ofMinutes(1);

    private static final String NO_MESSAGES =
            "No message in quarantine has the id of this replay, nor had for a minute. Write the id into the column replay of"
                    + " its messages, which must be of the same consumer, and set the status to RUNNING";

    private final StoreDatabase database;
    private final ReplayRows rows;
    private final ReplayMembers members;
    private final LongSupplier nanoTime;
    /** When this process first saw the rows without messages, by consumer and id. */
    private final Map<String, Map<String, Long>> empty = new ConcurrentHashMap<>();

    WrittenReplays(StoreDatabase database, ReplayRows rows, ReplayMembers members, LongSupplier nanoTime) {
        this.database = database;
        this.rows = rows;
        this.members = members;
        this.nanoTime = nanoTime;
    }

    /** Returns the running replays of a consumer that are complete by now. */
    List<Replay> running(Connection connection, String consumer) throws SQLException {
        Dialect dialect = database.dialect(connection);
        List<Replay> running = new ArrayList<>();
        Map<String, Long> known = empty.getOrDefault(consumer, Map.of());
        Map<String, Long> stillEmpty = new HashMap<>();
        for (ReplayRows.Row row : rows.going(connection, consumer)) {
            if (row.mistake().isPresent()) {
                stop(connection, row, row.mistake().get());
            } else if (row.isComplete()) {
                running.add(row.replay());
            } else if (complete(connection, dialect, row)) {
                rows.find(connection, row.id()).ifPresent(complete -> running.add(complete.replay()));
            } else {
                long since = known.getOrDefault(row.id(), nanoTime.getAsLong());
                stillEmpty.put(row.id(), since);
                if (nanoTime.getAsLong() - since >= MOST_WITHOUT_MESSAGES.toNanos()) {
                    stop(connection, row, NO_MESSAGES);
                }
            }
        }
        empty.put(consumer, stillEmpty);
        return running;
    }

    private void stop(Connection connection, ReplayRows.Row row, String why) throws SQLException {
        rows.stop(connection, database.dialect(connection), row.id(), why);
    }

    /** Completes a row, unless its messages are still to be chosen by the next statement of its author. */
    private boolean complete(Connection connection, Dialect dialect, ReplayRows.Row row) throws SQLException {
        members.leaveOthers(connection, row.id(), row.consumer());
        long total = members.count(connection, row.id(), row.consumer());
        if (total > 0) {
            rows.complete(connection, dialect, row.id(), total);
        }
        return total > 0;
    }
}
