package io.idempotency;

import io.idempotency.replay.ReplayResult;
import org.jspecify.annotations.Nullable;

/**
 * How a message of a replay ended.
 *
 * @param kind whether it is settled
 * @param result what became of a settled message
 * @param failure why it failed, or why it has to wait
 */
record ReplayEnding(
        Kind kind, @Nullable ReplayResult result, @Nullable Throwable failure) {

    enum Kind {
        /** Its entry is deleted or saved anew, and the result is counted. */
        SETTLED,
        /** Somebody else has settled it. */
        GONE,
        /** Nothing has changed; it is tried again. */
        LATER
    }

    static final ReplayEnding GONE = new ReplayEnding(Kind.GONE, null, null);

    static ReplayEnding settled(ReplayResult result, @Nullable Throwable failure) {
        return new ReplayEnding(Kind.SETTLED, result, failure);
    }

    static ReplayEnding later(@Nullable Throwable failure) {
        return new ReplayEnding(Kind.LATER, null, failure);
    }
}
