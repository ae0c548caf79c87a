package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Warns once if the number of partitions of a topic has changed since its journals were last loaded. From then on, a copy may be in another partition than
 * the original. Thread-safe.
 */
final class PartitionCounts {

    private static final Logger LOG = Loggers.JOURNAL_STORE;

    private final StoreDatabase database;
    private final String select;
    private final String update;
    private final Set<Said> said = ConcurrentHashMap.newKeySet();

    private record Said(String consumer, String stream, int count) {}

    PartitionCounts(StoreDatabase database, Tables tables) {
        this.database = database;
        this.select = tables.fill(SELECT);
        this.update = tables.fill(UPDATE);
    }

    /**
     * Compares the count before a journal is read, and stores the new one in its head.
     *
     * @param head the head, if the journal exists
     * @param count how many partitions the topic has; 0 if unknown
     */
    void compare(Connection connection, JournalPlace place, JournalKey key, @Nullable JournalHead head, int count)
            throws SQLException {
        int before = head == null ? ofOtherPartitions(connection, key) : head.partitions();
        if (count == 0 || count == before) {
            return;
        }
        if (head != null) {
            note(connection, key, count);
        }
        if (before > 0 && said.add(new Said(place.consumer(), place.stream(), count))) {
            LOG.warn(
                    "{} had {} partitions when consumer {} last loaded its journals, and has {} now. Keys have moved to other partitions."
                            + " If a message that was sent before arrives again in another partition, it is processed again.",
                    place.stream(),
                    before,
                    place.consumer(),
                    count);
        }
    }

    private static final String SELECT =
            "select max(partitions) from ${tables}journal where consumer = ? and place between ? and ?";

    private int ofOtherPartitions(Connection connection, JournalKey key) throws SQLException {
        long first = key.place() & ~0xFFFF_FFFFL;
        try (PreparedStatement statement = connection.prepareStatement(select)) {
            statement.setInt(1, key.consumer());
            statement.setLong(2, first);
            statement.setLong(3, first | 0xFFFF_FFFFL);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() ? result.getInt(1) : 0;
            }
        }
    }

    private static final String UPDATE = "update ${tables}journal set partitions = ? where consumer = ? and place = ?";

    private void note(Connection connection, JournalKey key, int count) throws SQLException {
        // Waits for a running append no longer than the claim timeout.
        database.journals(connection).heads(connection, List.of(key), true);
        try (PreparedStatement statement = connection.prepareStatement(update)) {
            statement.setInt(1, count);
            statement.setInt(2, key.consumer());
            statement.setLong(3, key.place());
            statement.executeUpdate();
        }
    }
}
