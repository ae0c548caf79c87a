package io.idempotency;

import io.idempotency.replay.ReplayResult;
import org.jspecify.annotations.Nullable;

/**
 * How a message of a replay ended.
 *
 * @param isLater whether nothing has changed, and it is tried again
 * @param result what became of a message whose entry is deleted or saved anew, and which is counted; null for one that somebody else has settled
 * @param failure why it failed, or why it has to wait
 */
record ReplayEnding(
        boolean isLater,
        @Nullable ReplayResult result,
        @Nullable Throwable failure) {

    /** Somebody else has settled it. */
    static final ReplayEnding GONE = new ReplayEnding(false, null, null);

    static ReplayEnding settled(ReplayResult result, @Nullable Throwable failure) {
        return new ReplayEnding(false, result, failure);
    }

    static ReplayEnding later(@Nullable Throwable failure) {
        return new ReplayEnding(true, null, failure);
    }
}
