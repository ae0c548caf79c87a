package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** Forgets the messages of all consumers in turn, each by its own retention. It continues where it stopped. Thread-safe. */
final class MessagePurge {

    private final StoreDatabase database;
    private volatile int next;

    MessagePurge(StoreDatabase database) {
        this.database = database;
    }

    MessageDialect.Purged purge(Connection connection, SortedMap<Integer, Long> retentions, int limit)
            throws SQLException {
        MessageDialect dialect = database.messages(connection);
        long now = PurgeClock.of(database.now(connection)).earlier();
        List<Map.Entry<Integer, Long>> round =
                new ArrayList<>(retentions.tailMap(next).entrySet());
        round.addAll(retentions.headMap(next).entrySet());
        MessageDialect.Purged purged = MessageDialect.Purged.NOTHING;
        for (Map.Entry<Integer, Long> each : round) {
            purged = purged.and(dialect.purge(connection, each.getKey(), now - each.getValue(), limit - purged.all()));
            next = each.getKey();
            if (purged.all() >= limit) {
                break;
            }
        }
        return purged;
    }
}
