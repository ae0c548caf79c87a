package io.idempotency;

/**
 * Spaces the messages of a replay on this node. Its share of the rate is that of the partitions whose turn it has, so the nodes together keep the
 * rate. What was missed within a tenth of a second is caught up with, so that short pauses do not lower a high rate.
 */
final class ReplayPace {

    private static final long CATCH_UP_NANOS = 100_000_000;
    private static final double NANOS = 1e9;

    private long intervalNanos;
    private long nextAt;

    ReplayPace(long now) {
        this.nextAt = now;
    }

    /** Sets the rate of the whole replay, and this node's share: so many of all partitions. */
    void share(int perSecond, int mine, int all) {
        intervalNanos = (long) (NANOS / perSecond * all / mine);
    }

    /** Returns how long to wait for the next message; not positive if it may begin. */
    long untilNext(long now) {
        return nextAt - now;
    }

    /** Notes that a message begins. */
    void begin(long now) {
        nextAt = Math.max(nextAt, now - CATCH_UP_NANOS) + intervalNanos;
    }
}
