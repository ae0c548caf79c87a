package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads journals into windows. */
final class JournalReading {

    private static final Logger LOG = LoggerFactory.getLogger(JournalStore.class);
    private static final int READINGS = 3;

    private final MessageTable table;
    private final long retentionMicros;

    JournalReading(MessageTable table, long retentionMicros) {
        this.table = table;
        this.retentionMicros = retentionMicros;
    }

    /** Reads a journal from its horizon to its head. The purge may delete what is about to be read: then it is read again. */
    Window read(Connection connection, Place place, JournalKey key) throws SQLException {
        for (int reading = 0; reading < READINGS; reading++) {
            Head head = head(connection, place, key);
            Window window = new Window(place, head, retentionMicros);
            long began = System.nanoTime();
            table.journals(connection)
                    .read(connection, key, head.horizonVersion() + 1, head.version(), false, segment -> {
                        if (segment.tip().version() == window.tip().version() + 1) {
                            window.add(segment);
                        }
                    });
            if (window.tip().equals(head.tip())) {
                window.index();
                LOG.info(
                        "Read the journal of {}: {} messages, {} MB, in {} ms",
                        place,
                        window.size(),
                        window.bytes() >> 20,
                        (System.nanoTime() - began) / 1_000_000);
                return window;
            }
        }
        throw new TransientStoreException("The journal of " + place + " changed while it was read; run it again");
    }

    /** Returns the window of a journal that was created just now, in the running transaction. */
    Window ofNew(Connection connection, Place place, JournalKey key) throws SQLException {
        return new Window(place, head(connection, place, key), retentionMicros);
    }

    private Head head(Connection connection, Place place, JournalKey key) throws SQLException {
        List<Head> heads = table.journals(connection).heads(connection, List.of(key), false);
        if (heads.isEmpty()) {
            throw new TransientStoreException(
                    "The journal of " + place + " was created by another transaction; run it again");
        }
        return heads.get(0);
    }

    /**
     * Lets a window know what is behind it, up to the head. Returns whether that is the history of which the window knows the beginning.
     *
     * @param isLocked whether the head is locked by the running transaction
     */
    boolean catchUp(Connection connection, Window window, Head head, boolean isLocked) throws SQLException {
        Tip known = window.tip();
        if (head.isAt(known)) {
            return true;
        }
        List<Segment> missing = new ArrayList<>();
        boolean isThere = known.version() > head.horizonVersion();
        table.journals(connection)
                .read(
                        connection,
                        head.key(),
                        isThere ? known.version() : known.version() + 1,
                        head.version(),
                        isLocked,
                        missing::add);
        Tip last = Tip.NONE;
        if (isThere && !missing.isEmpty()) {
            last = missing.remove(0).tip();
        }
        boolean isSameHistory = isThere ? last.equals(known) : known.version() == 0 && head.horizonVersion() == 0;
        if (!isSameHistory || head.version() < known.version()) {
            return false;
        }
        requireNoGap(known, missing, head, window);
        window.add(known, missing);
        return true;
    }

    private static void requireNoGap(Tip known, List<Segment> missing, Head head, Window window) {
        long version = known.version();
        for (Segment segment : missing) {
            if (segment.tip().version() != ++version) {
                break;
            }
        }
        Tip last = missing.isEmpty() ? known : missing.get(missing.size() - 1).tip();
        if (version != head.version() || !head.isAt(last)) {
            throw new TransientStoreException("This transaction cannot see all of the journal of " + window
                    + " up to version " + head.version() + "; run it again in a new one");
        }
    }
}
