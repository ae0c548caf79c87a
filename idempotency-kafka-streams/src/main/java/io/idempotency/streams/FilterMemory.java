package io.idempotency.streams;

import java.util.concurrent.atomic.AtomicLong;

/** The memory that all filters of a process may take together. Thread-safe. */
final class FilterMemory {

    private static final int SHARE_OF_THE_HEAP = 16;

    /** A sixteenth of the largest heap. */
    static final FilterMemory OF_THIS_PROCESS =
            new FilterMemory(Runtime.getRuntime().maxMemory() / SHARE_OF_THE_HEAP);

    /** None: each id is looked up. */
    static final FilterMemory NONE = new FilterMemory(0);

    private final AtomicLong left;

    FilterMemory(long bytes) {
        this.left = new AtomicLong(bytes);
    }

    /** Returns whether so many bytes were left. They are taken until they are given back. */
    boolean take(long bytes) {
        long before = left.getAndUpdate(free -> free < bytes ? free : free - bytes);
        return before >= bytes;
    }

    void giveBack(long bytes) {
        left.addAndGet(bytes);
    }
}
