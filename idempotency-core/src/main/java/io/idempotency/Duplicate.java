package io.idempotency;

import io.idempotency.store.Position;
import java.time.Duration;

/**
 * The reason why a delivery is a duplicate.
 *
 * @param first the position at which the message was processed; {@link Position#UNKNOWN} if that is forgotten
 * @param age how long ago that was, by the store's clock; zero if that is forgotten
 */
public record Duplicate(Kind kind, Position first, Duration age) {

    /** How a duplicate arose. */
    public enum Kind {
        /** The same position again: a crash, a rebalance or a lost offset commit. */
        REDELIVERY,
        /** The same message id at another position: a producer's retry, an outbox relay, a restarted producer. */
        RESEND,
        /** One of the positions is not known. */
        UNKNOWN
    }

    /**
     * Returns what a duplicate at this position is.
     *
     * @param first where the message was processed first
     * @param age how long ago that was
     */
    public static Duplicate of(Position position, Position first, Duration age) {
        if (first.equals(Position.UNKNOWN) || position.equals(Position.UNKNOWN)) {
            return new Duplicate(Kind.UNKNOWN, first, age);
        }
        return new Duplicate(position.equals(first) ? Kind.REDELIVERY : Kind.RESEND, first, age);
    }
}
