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
 * How many bytes the windows of a store take, and may take. Where they need more: windows of partitions that this process has left are dropped; then the
 * claim fails, or the oldest messages of all are forgotten, by choice. Thread-safe.
 */
final class JournalMemory {

    private static final Logger LOG = Loggers.JOURNAL_STORE;
    /** A window that no claim came to for so long belongs to a partition that somebody else has by now. */
    private static final Duration IDLE = Duration.ofMinutes(10);

    /** What is forgotten at a time, as a part of all, so that it need not be done for each claim. */
    private static final int PART = 16;
    /** What a message takes that is not read any more, about. */
    private static final int BYTES_OF_A_MESSAGE = 26;

    private final long most;
    private final boolean isForgetting;
    private final Map<JournalPlace, JournalWindow> windows;
    private final Consumer<JournalWindow> drop;
    private final AtomicLong sum = new AtomicLong();

    /**
     * Creates the memory of the windows.
     *
     * @param drop takes a window out of the map
     */
    JournalMemory(
            JournalStore.Settings settings, Map<JournalPlace, JournalWindow> windows, Consumer<JournalWindow> drop) {
        this.most = settings.memoryBytes();
        this.isForgetting = settings.isRaisingHorizon();
        this.windows = windows;
        this.drop = drop;
    }

    /** Returns what each window adds its bytes to. */
    AtomicLong sum() {
        return sum;
    }

    long bytes() {
        return sum.get();
    }

    /** Makes room if that is possible, and returns whether there is some, for a window that is being read. */
    boolean isRoomFor(@Nullable JournalWindow growing) {
        if (bytes() <= most) {
            return true;
        }
        dropIdle();
        if (bytes() > most && isForgetting) {
            forgetOldest(growing);
        }
        return bytes() <= most;
    }

    /**
     * Makes room, and fails if there is none.
     *
     * @param growing a window that is being read; it is in no map yet
     * @param unread how many messages of it did not fit
     */
    void requireRoom(@Nullable JournalWindow growing, long unread) {
        if ((!isRoomFor(growing) || unread > 0) && !isForgetting) {
            throw new IdempotencyException("The journals need "
                    + megabytes(bytes() + unread * BYTES_OF_A_MESSAGE) + " of memory"
                    + (growing == null ? "" : " with that of " + growing) + ", and may take " + megabytes(most)
                    + ": allow more by JournalStoreBuilder.memory(..) or idempotency.journal.memory, remember for a"
                    + " shorter time, let it forget earlier by raiseHorizonIfFull, or use a TableStore");
        }
    }

    private static String megabytes(long bytes) {
        return ((bytes + (1 << 20) - 1) >> 20) + " MB";
    }

    private void dropIdle() {
        long idleSince = System.nanoTime() - IDLE.toNanos();
        List<JournalWindow> idle = windows.values().stream()
                .filter(window -> window.isIdle(idleSince))
                .sorted(Comparator.comparingLong(JournalWindow::usedNanos))
                .toList();
        for (JournalWindow window : idle) {
            if (bytes() > most) {
                drop.accept(window);
            }
        }
    }

    private void forgetOldest(@Nullable JournalWindow growing) {
        long target = most - most / PART;
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
