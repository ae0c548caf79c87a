package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;

/** Reads journals into windows. */
final class JournalLoad {

    private static final Logger LOG = Loggers.JOURNAL_STORE;
    private static final int READINGS = 3;
    private static final int GENERATIONS_PER_ARCHIVE = 2;

    private final StoreDatabase database;
    private final JournalStore.Settings settings;
    private final JournalMemory memory;
    private final LongAdder catchUps = new LongAdder();
    private final LongAdder reloads = new LongAdder();

    JournalLoad(StoreDatabase database, JournalStore.Settings settings, JournalMemory memory) {
        this.database = database;
        this.settings = settings;
        this.memory = memory;
    }

    private JournalWindow window(JournalPlace place, JournalHead head) {
        int archived = settings.archiveAfter();
        return new JournalWindow(
                place,
                head,
                StoredTime.micros(settings.retention()),
                archived == 0 ? IdTable.CAPACITY : (archived + 1) / GENERATIONS_PER_ARCHIVE,
                memory.sum());
    }

    /**
     * Reads a journal from its horizon to its head: the filters of its archives, and the segments that are not archived. If the purge deletes segments meanwhile, or
     * some are archived, it reads again.
     *
     * @throws IdempotencyException if it does not fit into memory
     */
    JournalWindow read(Connection connection, JournalPlace place, JournalKey key) throws SQLException {
        for (int reading = 0; reading < READINGS; reading++) {
            JournalHead head = head(connection, place, key);
            JournalWindow window = window(place, head);
            try {
                if (isRead(connection, window, head)) {
                    return window;
                }
            } catch (SQLException | RuntimeException | Error e) {
                window.dropped();
                throw e;
            }
            window.dropped();
        }
        throw new TransientStoreException("The journal of " + place + " changed while it was read; run it again");
    }

    private boolean isRead(Connection connection, JournalWindow window, JournalHead head) throws SQLException {
        long began = System.nanoTime();
        long[] unread = new long[1];
        ArchiveLoad archives =
                new ArchiveLoad(connection, database.journals(connection).archives(), head);
        List<ArchiveHead> list = archives.list();
        if (list == null) {
            return false;
        }
        for (ArchiveHead archive : list) {
            long bytes = JournalMemory.bytesOfArchived(archive.messages());
            if (unread[0] == 0 && memory.isRoomFor(window, bytes)) {
                window.add(archives.read(archive, ArchiveList.NONE));
            } else if (memory.isForgetting()) {
                window.forget(archive);
            } else {
                unread[0] += bytes;
            }
        }
        if (!archives.areActive(list)) {
            return false;
        }
        Range range = new Range(head.key(), head.goneVersion() + 1, head.version());
        database.journals(connection).read(connection, range, false, segment -> {
            if (unread[0] > 0 || !memory.isRoomFor(window, 0)) {
                unread[0] += JournalMemory.bytesOfMessages(segment.offsets().length);
            } else if (segment.tip().version() == window.tip().version() + 1) {
                window.add(segment);
                window.count();
            }
        });
        memory.requireRoom(window, unread[0]);
        if (!window.tip().equals(head.tip())) {
            return false;
        }
        window.completed();
        LOG.info(
                "Read the journal of {}: {} messages, {} MB, in {} ms",
                window,
                window.size(),
                window.bytes() >> 20,
                (System.nanoTime() - began) / 1_000_000);
        return true;
    }

    /** Returns the window of a journal that the running transaction has just created. */
    JournalWindow ofNew(Connection connection, JournalPlace place, JournalKey key) throws SQLException {
        return window(place, head(connection, place, key));
    }

    private JournalHead head(Connection connection, JournalPlace place, JournalKey key) throws SQLException {
        List<JournalHead> heads = database.journals(connection).heads(connection, List.of(key), false);
        if (heads.isEmpty()) {
            throw new TransientStoreException(
                    "The journal of " + place + " was created by another transaction; run it again");
        }
        return heads.get(0);
    }

    /**
     * Adds to a window the segments after its tip, up to the head. Returns whether they continue the history that the window knows.
     *
     * @param isLocked whether the head is locked by the running transaction
     */
    boolean catchUp(Connection connection, JournalWindow window, JournalHead head, boolean isLocked)
            throws SQLException {
        JournalTip known = window.tip();
        if (head.isAt(known)) {
            return true;
        }
        List<JournalSegment> missing = new ArrayList<>();
        // The segment at the window's tip proves that its history is that of the head. One that is purged or archived
        // proves nothing.
        boolean isThere = known.version() > head.goneVersion();
        Range range = new Range(head.key(), isThere ? known.version() : known.version() + 1, head.version());
        database.journals(connection).read(connection, range, isLocked, missing::add);
        JournalTip last = JournalTip.NONE;
        if (isThere && !missing.isEmpty()) {
            last = missing.remove(0).tip();
        }
        boolean isSameHistory = isThere ? last.equals(known) : known.version() == 0 && head.goneVersion() == 0;
        if (!isSameHistory || head.version() < known.version()) {
            reloads.increment();
            return false;
        }
        requireNoGap(known, missing, head, window);
        window.add(known, missing);
        catchUps.increment();
        return true;
    }

    long catchUps() {
        return catchUps.sum();
    }

    long reloads() {
        return reloads.sum();
    }

    private static void requireNoGap(
            JournalTip known, List<JournalSegment> missing, JournalHead head, JournalWindow window) {
        long version = known.version();
        for (JournalSegment segment : missing) {
            if (segment.tip().version() != ++version) {
                break;
            }
        }
        JournalTip last =
                missing.isEmpty() ? known : missing.get(missing.size() - 1).tip();
        if (version != head.version() || !head.isAt(last)) {
            throw new TransientStoreException("This transaction cannot see all of the journal of " + window
                    + " up to version " + head.version() + "; run it again in a new one");
        }
    }
}
