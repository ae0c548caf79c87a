package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Instant;
import java.util.Locale;

/**
 * A partition that makes no progress in this process. Without texts of exceptions; without its id, everybody may read it.
 *
 * @param id the message at which it stands
 * @param position the position of that message
 * @param reason what keeps it there
 * @param why the reason of a {@link io.idempotency.store.StandStillException}, or the class of the innermost failure
 * @param since when it came to this message first, by the clock of this process
 * @param isLasting whether that is longer ago than {@link Standstills#PATIENCE}: it stands still; before, it waits
 */
public record Standstill(MessageId id, Position position, Reason reason, String why, Instant since, boolean isLasting) {

    /** What keeps a partition where it is. */
    public enum Reason {
        /** The handler fails at the message, or the message cannot be read or quarantined. */
        FAILURE("Read the failure at this position in the log, and fix its cause. The partition goes on by itself"),
        /** A failure that says nothing about the message. */
        TRANSIENT(
                "Find out why the database does not answer, or who holds a lock there. The partition goes on by itself"),
        /** Another process has claimed the message. */
        IN_PROGRESS(
                "Another process works on the message. If it has died, its claim ends by itself, after 5 minutes at most or after a lease"),
        /** Somebody has to decide: for example, offsets were set back to before what is remembered. */
        REFUSED("The line at ERROR with this position in the log says what to choose");

        private final String help;

        Reason(String help) {
            this.help = help;
        }

        /** Returns the reason as the meters and health name it, such as {@code in_progress}. */
        public String tag() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Returns what helps, in one sentence. */
        public String help() {
            return help;
        }
    }

    /** Returns the name of the consumer. */
    public String consumer() {
        return id.consumer();
    }

    /** Returns the partition, such as {@code orders-3}. */
    public String partition() {
        return position.stream() + "-" + position.partition();
    }
}
