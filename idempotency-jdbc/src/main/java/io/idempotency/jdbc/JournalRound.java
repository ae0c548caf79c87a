package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Purged;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/** Purges all journals in turn, one per call, and continues where it stopped. So a run visits each journal once or twice. Thread-safe. */
final class JournalRound {

    private static final long FIRST_PLACE = Long.MIN_VALUE;

    private final StoreDatabase database;
    private volatile JournalKey next = new JournalKey(0, FIRST_PLACE);

    JournalRound(StoreDatabase database) {
        this.database = database;
    }

    /**
     * Purges the next journal that has old segments.
     *
     * @param retentions the retention of each consumer; journals of other consumers are not purged
     */
    Purged purge(Connection connection, SortedMap<Integer, Long> retentions, int limit) throws SQLException {
        JournalDialect journals = database.journals(connection);
        PurgeClock clock = PurgeClock.of(database.now(connection));
        for (JournalKey from : round(retentions)) {
            Long retention = retentions.get(from.consumer());
            Purged purged =
                    retention == null ? Purged.NOTHING : journals.purge(connection, from, retention, clock, limit);
            if (purged.head() != null) {
                JournalKey key = purged.head().key();
                next = purged.messages() < limit ? new JournalKey(key.consumer(), key.place() + 1) : key;
                return purged;
            }
        }
        return Purged.NOTHING;
    }

    /** Returns where to look: from the last journal on, then at the other consumers, at last at the journals before it. */
    private List<JournalKey> round(SortedMap<Integer, Long> retentions) {
        JournalKey begin = next;
        List<JournalKey> round = new ArrayList<>(List.of(begin));
        retentions.tailMap(begin.consumer() + 1).keySet().forEach(each -> round.add(new JournalKey(each, FIRST_PLACE)));
        retentions.headMap(begin.consumer() + 1).keySet().forEach(each -> round.add(new JournalKey(each, FIRST_PLACE)));
        return round;
    }
}
