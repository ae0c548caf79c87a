package io.idempotency;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Stops the partition of a message that was charged, and tells why: until its next attempt, or until somebody mends what is wrong. Thread-safe. */
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
        if (item.lane().isOrdered()) {
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

    /** Without a position there is no partition that comes again, only the caller's next delivery. */
    void tellStandStill(Item<?> item, Charge<?> charge, String why) {
        String after = Reports.after(charge.attempts());
        if (item.lane().isOrdered()) {
            log.error(
                    "Partition {} stands still at {} {}, for {}; it is tried again every {} s. Nothing behind it is lost.",
                    item.lane(),
                    item.delivery(),
                    after,
                    why,
                    IdempotentConsumer.STAND_STILL.toSeconds(),
                    FailureText.loggable(charge.failure()));
        } else {
            log.error(
                    "{} is not settled {}, for {}; then deliver it again.",
                    item.delivery(),
                    after,
                    why,
                    FailureText.loggable(charge.failure()));
        }
    }

    /** Without a word in the log. */
    <T> void stop(Poll<T> poll, Item<T> item, Duration retryAfter, Charge<T> charge) {
        poll.stopCharged(item, retryAfter, charge.failure());
        reports.failed(item, Outcome.RELEASED, charge.attempts(), charge.failure());
    }
}
