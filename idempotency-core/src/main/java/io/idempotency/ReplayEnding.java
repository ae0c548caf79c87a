package io.idempotency;

import io.idempotency.replay.ReplayResult;
import org.jspecify.annotations.Nullable;

/**
 * How a message of a replay ended.
 *
 * @param isLater whether nothing has changed, and it is tried again
 * @param isRefused whether nothing has changed, because its effect may have happened, and its replay does not accept that
 * @param result what became of a message whose entry is deleted or saved anew, and which is counted; null for one that somebody else has settled
 * @param failure why it failed, or why it has to wait
 */
record ReplayEnding(
        boolean isLater,
        boolean isRefused,
        @Nullable ReplayResult result,
        @Nullable Throwable failure) {

    /** Somebody else has settled it. */
    static final ReplayEnding GONE = new ReplayEnding(false, false, null, null);

    static final ReplayEnding REFUSED = new ReplayEnding(false, true, null, null);

    static ReplayEnding settled(ReplayResult result, @Nullable Throwable failure) {
        return new ReplayEnding(false, false, result, failure);
    }

    static ReplayEnding later(@Nullable Throwable failure) {
        return new ReplayEnding(true, false, null, failure);
    }
}
