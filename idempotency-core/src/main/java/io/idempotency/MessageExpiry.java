package io.idempotency;

import java.time.Instant;
import java.util.Optional;

/** Finds out when a message expires. An expired message is settled without a call of its handler. Thread-safe. */
@FunctionalInterface
public interface MessageExpiry<M> {

    /**
     * Returns from when on the message is expired, by the store's clock; empty if it never expires. Called once for each delivery.
     *
     * @throws InvalidExpiryException if the message names an expiry that cannot be read; the text names position, place and value. Any other
     *     exception counts as such a one
     */
    Optional<Instant> expiry(M message);

    /** Returns the expiry of messages that never expire. */
    static <M> MessageExpiry<M> never() {
        return message -> Optional.empty();
    }
}
