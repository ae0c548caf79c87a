package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/** Finds what windows know of messages, in memory and in the pages of archives, and brings windows up to the heads of their journals. Thread-safe. */
final class JournalLookup {

    /** How often it looks for archives. They change rarely, so twice is nearly always enough. */
    private static final int LOOKUPS = 3;

    private final StoreDatabase database;
    private final JournalWindows windows;

    JournalLookup(StoreDatabase database, JournalWindows windows) {
        this.database = database;
        this.windows = windows;
    }

    /** Ids to be found in a window and its archives. */
    record Sought(JournalWindow window, Ids ids) {}

    /** Returns what the windows know, with all questions to archives answered. */
    List<JournalKnowledge> find(Connection connection, ActiveTransaction active, List<Sought> sought)
            throws SQLException {
        for (int attempt = 0; attempt < LOOKUPS; attempt++) {
            List<JournalKnowledge> known =
                    sought.stream().map(each -> each.window().find(each.ids())).toList();
            if (known.stream().allMatch(each -> each.questions().isEmpty())) {
                return known;
            }
            database.requireCommittedReads(connection);
            Set<JournalKey> changed = new ArchiveAnswers(known)
                    .find(connection, database.journals(connection).archives());
            if (changed.isEmpty()) {
                return known;
            }
            for (Sought each : sought) {
                if (changed.contains(each.window().key())) {
                    renew(connection, active, each.window());
                }
            }
        }
        throw new TransientStoreException("The archives of a journal are merged again and again; run the claim again");
    }

    /** Catches up with a journal and the list of its archives. */
    private void renew(Connection connection, ActiveTransaction active, JournalWindow window) throws SQLException {
        List<JournalHead> heads = database.journals(connection).heads(connection, List.of(window.key()), false);
        if (heads.isEmpty()) {
            throw gone(window);
        }
        catchUp(connection, active, window, heads.get(0), false);
        JournalOverlay overlay = JournalTransaction.of(active).overlay(heads.get(0));
        learn(connection, window, overlay == null ? heads.get(0) : heads.get(0).back(overlay.base()));
    }

    /** Brings a window up to the head, without the segments that this transaction appended. */
    void catchUp(
            Connection connection, ActiveTransaction active, JournalWindow window, JournalHead head, boolean isLocked)
            throws SQLException {
        JournalOverlay overlay = JournalTransaction.of(active).overlay(head);
        if (overlay != null && !head.isAt(overlay.tip())) {
            throw gone(window);
        }
        windows.catchUp(connection, window, overlay == null ? head : head.back(overlay.base()), isLocked);
    }

    /** Drops a window whose journal is not as the transaction left it. */
    TransientStoreException gone(JournalWindow window) {
        windows.drop(window);
        return new TransientStoreException("The journal of " + window
                + " has changed: the transaction was rolled back in part, or the database"
                + " has lost commits; run it again");
    }

    /** Takes over the archives that a journal has now, as the running transaction sees them. The window was caught up with the head. */
    private void learn(Connection connection, JournalWindow window, JournalHead head) throws SQLException {
        ArchiveList list =
                new ArchiveLoad(connection, database.journals(connection).archives(), head).read(window.archives());
        if (list == null || !window.learn(list, head)) {
            windows.drop(window);
            throw new TransientStoreException("This transaction sees other archives of the journal of " + window
                    + " than its process knows: they were merged meanwhile, or the database has lost commits;"
                    + " run it again in a new one");
        }
    }

    /** Takes over the archives of all windows, so that their segments take no memory any more. A window that is behind learns of them when it has caught up. */
    void learnAll(Connections connections) {
        for (JournalWindow window : windows.all()) {
            connections.alone("read the archives of a journal", connection -> {
                List<JournalHead> heads = database.journals(connection).heads(connection, List.of(window.key()), false);
                if (heads.isEmpty() || heads.get(0).archivedVersion() == 0) {
                    return false;
                }
                JournalHead head = heads.get(0);
                ArchiveList list = new ArchiveLoad(
                                connection, database.journals(connection).archives(), head)
                        .read(window.archives());
                return list != null && window.learn(list, head);
            });
        }
    }
}
