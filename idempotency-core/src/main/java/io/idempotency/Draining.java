package io.idempotency;

import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.UnreadableMessageIdException;

/** Decides whether a partition stands still instead of draining into quarantine, and words the reason. Thread-safe. */
final class Draining {

    private static final int NEVER = Integer.MAX_VALUE;
    private static final String MEND = ". Mend the handler or the message";
    private static final String NO_ID =
            "no message there has had a usable id yet. Correct where ids are read from: in Spring, messageId or idempotency.consumers.<name>.message-id. If"
                    + " the messages are wrong, the first one with an id in another partition frees this one. To have them quarantined, set"
                    + " standStillAfter(Integer.MAX_VALUE), in Spring idempotency.stand-still-after=0";

    private final int standStillAfter;
    private final Lanes lanes;

    Draining(int standStillAfter, Lanes lanes) {
        this.standStillAfter = standStillAfter;
        this.lanes = lanes;
    }

    /**
     * Returns whether the reading of ids is more likely wrong than the message: it failed, as a wrong expression does, and has not yet worked
     * for any message of the stream.
     */
    boolean isReadingWrong(Item<?> item, Throwable failure) {
        boolean isRefused =
                failure instanceof InvalidMessageIdException && !(failure instanceof UnreadableMessageIdException);
        return item.isReadingDoubtful() && item.lane().isOrdered() && standStillAfter < NEVER && !isRefused;
    }

    /** Returns whether so many different messages in a row went to quarantine for this failure that one more would be too many. */
    boolean isOneTooMany(Item<?> item, Throwable failure) {
        return tellsOfOthers(item)
                && lanes.quarantinedInARow(item.lane(), Causes.signature(failure)) >= standStillAfter;
    }

    /** Notes that a message is in quarantine. */
    void quarantined(Item<?> item, Throwable failure) {
        if (tellsOfOthers(item)) {
            lanes.quarantined(item.lane(), item.delivery().id(), Causes.signature(failure));
        } else {
            lanes.skipped(item.lane(), item.delivery().id());
        }
    }

    /** Returns whether other messages may fail for the same reason. An unusable id tells nothing about them once one had a usable id. */
    private static boolean tellsOfOthers(Item<?> item) {
        return item.hasUsableId() || item.isReadingDoubtful();
    }

    static String whyReadingIsWrong(Throwable failure) {
        return "the id could not be read (" + FailureText.lineWithCause(failure) + "), and " + NO_ID;
    }

    String whyOneTooMany(Item<?> item) {
        return standStillAfter + " messages in a row failed in the same way"
                + (item.isReadingDoubtful() ? ", and " + NO_ID : MEND);
    }
}
