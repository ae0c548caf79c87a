package io.idempotency.jdbc;

/** When and how the partition of a window was used. Thread-safe. */
final class JournalUse {

    private long usedNanos = System.nanoTime();
    private long checkedNanos = System.nanoTime();
    private boolean isLeft;
    private boolean isSetBack;

    synchronized void used() {
        usedNanos = System.nanoTime();
        isLeft = false;
    }

    /** Marks its partition as given up, until the next claim. */
    synchronized void left() {
        isLeft = true;
        isSetBack = false;
    }

    /** Notes that the offsets of its partition were set back. Returns whether the log does not say so yet. */
    synchronized boolean tellSetBack() {
        boolean isNew = !isSetBack;
        isSetBack = true;
        return isNew;
    }

    /** Notes that new messages come again. */
    synchronized void goesForward() {
        isSetBack = false;
    }

    /** Returns whether its partition was given up, or had no claim since the given time. */
    synchronized boolean isIdle(long sinceNanos) {
        return isLeft || usedNanos - sinceNanos < 0;
    }

    synchronized long usedNanos() {
        return usedNanos;
    }

    synchronized void checked() {
        checkedNanos = System.nanoTime();
    }

    synchronized long checkedNanos() {
        return checkedNanos;
    }
}
