package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Printable;
import io.idempotency.store.StandStillException;
import org.slf4j.Logger;

/**
 * The offsets of a partition were set back to before what is remembered. Words it for the error and the log.
 *
 * @param delivery the first delivery that nobody can judge
 * @param horizon the offset up to which nothing is remembered
 */
record SetBack(Delivery delivery, long horizon) {

    private String offsets() {
        return "ffsets of " + Printable.of(delivery.position().stream()) + "-"
                + delivery.position().partition() + " were set back to "
                + delivery.position().offset();
    }

    /**
     * Returns the error of a delivery that is refused.
     *
     * @param forgotten says what is forgotten, as half a sentence
     * @param setting the setting of the store by which somebody chooses something else
     * @param more further advice; may be empty
     */
    StandStillException refused(String forgotten, String setting, String more) {
        return new StandStillException(
                "o" + offsets() + "; nothing up to " + horizon + " is remembered",
                "O" + offsets() + ", and " + forgotten + ". Nobody can tell whether " + delivery
                        + " was processed. Set the offsets of the group behind " + horizon
                        + ", or let the store skip or process such records, by " + setting
                        + " or idempotency.unjudged" + more);
    }

    /** Warns that records go on although nobody can judge them. */
    void warn(Logger log, Unjudged choice) {
        log.warn(
                "O{} for consumer {}, and nothing up to offset {} is remembered there. Records up to there {}, because unjudged is {}. This line comes"
                        + " once each time they are set back.",
                offsets(),
                Printable.of(delivery.id().consumer()),
                horizon,
                choice == Unjudged.SKIP
                        ? "are skipped, even if they were not processed"
                        : "are processed, perhaps again",
                choice);
    }
}
