package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Limits the memory of a store's windows. If they need more, it drops windows of partitions that this process has left. If that is not enough, the claim
 * fails, or the oldest messages of all windows are forgotten, by choice. Thread-safe.
 */
final class JournalMemory {

    private static final Logger LOG = Loggers.JOURNAL_STORE;
    /** The time without a claim after which the partition of a window is taken as left. */
    private static final Duration IDLE = Duration.ofMinutes(10);

    /** The part of all memory that is freed at a time, so that not every claim has to free some. */
    private static final int PART = 16;
    /** About how many bytes a message takes. */
    private static final int BYTES_OF_A_MESSAGE = 26;

    /** About how many tenths of a byte a message takes in the filter of an archive. */
    private static final int TENTHS_OF_AN_ARCHIVED_MESSAGE = 23;

    private final long most;
    private final boolean isForgetting;
    private final Map<JournalPlace, JournalWindow> windows;
    private final Consumer<JournalWindow> drop;
    private final AtomicLong sum = new AtomicLong();

    /**
     * Creates the memory of the windows.
     *
     * @param drop removes a window from the map
     */
    JournalMemory(
            JournalStore.Settings settings, Map<JournalPlace, JournalWindow> windows, Consumer<JournalWindow> drop) {
        this.most = settings.memoryBytes();
        this.isForgetting = settings.isForgettingOldest();
        this.windows = windows;
        this.drop = drop;
    }

    /** Returns the sum to which each window adds its bytes. */
    AtomicLong sum() {
        return sum;
    }

    long bytes() {
        return sum.get();
    }

    /** Returns whether the oldest messages are forgotten if there is no room. */
    boolean isForgetting() {
        return isForgetting;
    }

    /**
     * Makes room for a window that is being read, if possible. Returns whether there is room. Nothing is forgotten for what would not fit anyway.
     *
     * @param more how many bytes are to be added to it
     */
    boolean isRoomFor(@Nullable JournalWindow growing, long more) {
        if (bytes() + more <= most) {
            return true;
        }
        dropIdle(more);
        if (bytes() + more > most && isForgetting && more <= most) {
            forgetOldest(growing, more);
        }
        return bytes() + more <= most;
    }

    /**
     * Makes room, and fails if there is none.
     *
     * @param growing a window that is being read; it is in no map yet
     * @param unread about how many bytes of it did not fit
     */
    void requireRoom(@Nullable JournalWindow growing, long unread) {
        if ((!isRoomFor(growing, 0) || unread > 0) && !isForgetting) {
            throw new IdempotencyException("The journals need "
                    + megabytes(bytes() + unread) + " of memory"
                    + (growing == null ? "" : " with that of " + growing) + ", and may take " + megabytes(most)
                    + ": allow more by JournalStoreBuilder.memory(..) or idempotency.journal.memory, shorten the"
                    + " retention, let it forget earlier by forgetOldestIfFull, or use a TableStore");
        }
    }

    /** Returns about how many bytes messages take that are not archived. */
    static long bytesOfMessages(long messages) {
        return messages * BYTES_OF_A_MESSAGE;
    }

    /** Returns about how many bytes archived messages take. */
    static long bytesOfArchived(long messages) {
        return messages * TENTHS_OF_AN_ARCHIVED_MESSAGE / 10;
    }

    private static String megabytes(long bytes) {
        return ((bytes + (1 << 20) - 1) >> 20) + " MB";
    }

    private void dropIdle(long more) {
        long idleSince = System.nanoTime() - IDLE.toNanos();
        List<JournalWindow> idle = windows.values().stream()
                .filter(window -> window.use().isIdle(idleSince))
                .sorted(Comparator.comparingLong(window -> window.use().usedNanos()))
                .toList();
        for (JournalWindow window : idle) {
            if (bytes() + more > most) {
                drop.accept(window);
            }
        }
    }

    private void forgetOldest(@Nullable JournalWindow growing, long more) {
        long target = most - most / PART - more;
        long forgotten = 0;
        JournalWindow oldest = oldest(growing);
        while (bytes() > target && oldest != null) {
            forgotten += oldest.forgetOldest();
            oldest = oldest(growing);
        }
        LOG.warn(
                "The journals need more than {} of memory: the oldest {} messages are forgotten before their time",
                megabytes(most),
                forgotten);
    }

    private @Nullable JournalWindow oldest(@Nullable JournalWindow growing) {
        JournalWindow oldest = growing;
        for (JournalWindow window : windows.values()) {
            if (oldest == null || window.oldest() < oldest.oldest()) {
                oldest = window;
            }
        }
        return oldest == null || oldest.oldest() == Long.MAX_VALUE ? null : oldest;
    }
}
