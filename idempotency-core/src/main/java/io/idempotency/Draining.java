package io.idempotency;

import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.StandStillException;
import io.idempotency.store.UnreadableMessageIdException;
import java.time.Duration;

/** Decides whether a partition stands still instead of draining into quarantine, and words the reason. Thread-safe. */
final class Draining {

    private static final int NEVER = Integer.MAX_VALUE;
    private static final int MOST_DOUBLINGS = 4;
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

    /**
     * Returns how long the next message must not be tried, because too many in a row were quarantined for the same failure; zero if it may be. For a level
     * that tries no message twice, so that each trial costs one. So the pause is twice as long after each trial, up to {@value #MOST_DOUBLINGS} times.
     */
    Duration pauseOf(Lane lane) {
        if (lanes.isEmpty()) {
            return Duration.ZERO;
        }
        Lanes.Quarantined last = lanes.quarantinedLast(lane);
        int trials = last.inARow() - standStillAfter;
        if (trials < 0) {
            return Duration.ZERO;
        }
        Duration rest = IdempotentConsumer.STAND_STILL
                .multipliedBy(1L << Math.min(trials, MOST_DOUBLINGS))
                .minus(last.ago());
        return rest.isNegative() ? Duration.ZERO : rest;
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

    /** Returns the reason of a pause, with the failure that the messages share. */
    StandStillException whyPaused(Lane lane) {
        String reason = inARow() + " (" + lanes.quarantinedLast(lane).failure() + ")";
        return new StandStillException(reason, reason + ", and a message that fails does not run again" + MEND);
    }

    static String whyReadingIsWrong(Throwable failure) {
        return "the id could not be read (" + FailureText.lineWithCause(failure) + "), and " + NO_ID;
    }

    String whyOneTooMany(Item<?> item) {
        return inARow() + (item.isReadingDoubtful() ? ", and " + NO_ID : MEND);
    }

    private String inARow() {
        return standStillAfter + " messages in a row failed in the same way";
    }
}
