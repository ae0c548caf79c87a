package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A delivery that a shadow consumer has watched. It holds no message, so that a queue of them stays small.
 *
 * @param refusal why a real run would not have called the handler, although the message is neither a duplicate nor expired
 * @param scope the scope of the message; null without one
 * @param expiry from when on the message is expired; null if never
 * @param beganNanos when the handler was called
 */
record Watched(
        Delivery delivery,
        Kind kind,
        Optional<Throwable> refusal,
        @Nullable Object scope,
        @Nullable Instant expiry,
        long beganNanos,
        long handlerNanos) {

    enum Kind {
        /** The handler returned without an exception. A real run has it processed, and remembers it. */
        HANDLED,
        /** The handler failed. A real run calls it only if the message is new. */
        FAILED
    }

    /** Returns one that stands for no delivery. */
    static Watched none() {
        Delivery nothing = new Delivery(new MessageId("none", "none"), Position.UNKNOWN);
        return new Watched(nothing, Kind.FAILED, Optional.empty(), null, null, 0, 0);
    }

    Lane lane() {
        return Lane.of(delivery.position());
    }
}
