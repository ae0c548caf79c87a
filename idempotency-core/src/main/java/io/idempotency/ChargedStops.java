package io.idempotency;

import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Stops the partition of a message that was charged, for a retry or as a stand-still, and logs why. Thread-safe. */
final class ChargedStops {

    static final String MEND = "Mend the handler or the message";

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Reports reports;

    ChargedStops(Reports reports) {
        this.reports = reports;
    }

    Reports reports() {
        return reports;
    }

    <T> void retry(Poll<T> poll, Item<T> item, Charge<T> charge, Duration retryAfter) {
        if (item.lane().isAlone()) {
            log.warn(
                    "Attempt {} of {} failed; it is tried again in {} ms, and others go on.",
                    charge.attempts(),
                    item.delivery(),
                    retryAfter.toMillis(),
                    FailureText.loggable(charge.failure()));
        } else if (item.lane().isOrdered()) {
            log.warn(
                    "Attempt {} of {} failed; its partition goes on in {} ms.",
                    charge.attempts(),
                    item.delivery(),
                    retryAfter.toMillis(),
                    FailureText.loggable(charge.failure()));
        } else {
            log.warn(
                    "Attempt {} of {} failed; {}.",
                    charge.attempts(),
                    item.delivery(),
                    Reports.AGAIN,
                    FailureText.loggable(charge.failure()));
        }
        stop(poll, item, retryAfter, charge);
    }

    <T> void standStill(Poll<T> poll, Item<T> item, Charge<T> charge, String why) {
        tellStandStill(item, charge, why);
        stop(poll, item, IdempotentConsumer.STAND_STILL, charge);
    }

    /** Stops the partition of a message that was not tried, and is not to be tried before the end of a pause. */
    <T> void pause(Poll<T> poll, Item<T> item, Throwable why, Duration pause) {
        log.error(
                "Partition {} stands still at {}: {}. The next trial is in {} s. Nothing behind it is lost.",
                item.lane(),
                item.delivery(),
                why.getMessage(),
                pause.toSeconds());
        // Not as charged: nothing is known against this message. The look in between tells that the partition still
        // stands.
        poll.stop(
                item,
                pause.compareTo(IdempotentConsumer.STAND_STILL) < 0 ? pause : IdempotentConsumer.STAND_STILL,
                Optional.of(why));
        reports.failed(item, Outcome.RELEASED, 0, why);
    }

    /** Logs a stand-still. A message without a position has no partition that is redelivered, only the next delivery by the caller. */
    void tellStandStill(Item<?> item, Charge<?> charge, String why) {
        String after = Reports.after(charge.attempts());
        if (item.lane().isAlone()) {
            log.error(
                    "{} is not settled {}: {}. It is tried again every {} s, and others go on.",
                    item.delivery(),
                    after,
                    why,
                    IdempotentConsumer.STAND_STILL.toSeconds(),
                    FailureText.loggable(charge.failure()));
        } else if (item.lane().isOrdered()) {
            log.error(
                    "Partition {} stands still at {} {}: {}. It is tried again every {} s. Nothing behind it is lost.",
                    item.lane(),
                    item.delivery(),
                    after,
                    why,
                    IdempotentConsumer.STAND_STILL.toSeconds(),
                    FailureText.loggable(charge.failure()));
        } else {
            log.error(
                    "{} is not settled {}: {}. Then deliver it again.",
                    item.delivery(),
                    after,
                    why,
                    FailureText.loggable(charge.failure()));
        }
    }

    /** Stops the partition without a log entry. */
    <T> void stop(Poll<T> poll, Item<T> item, Duration retryAfter, Charge<T> charge) {
        poll.stopCharged(item, retryAfter, charge.failure());
        reports.failed(item, Outcome.RELEASED, charge.attempts(), charge.failure());
    }
}
