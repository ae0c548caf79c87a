package io.idempotency;

import java.util.Optional;

/** Finds the message id in a message. Thread-safe. */
@FunctionalInterface
public interface MessageIdExtractor<M> {

    /**
     * Returns the id that the producer gave the message. If it is empty, the message fails. Any other exception is a failure of the message,
     * too, as if the handler had thrown it.
     *
     * @throws io.idempotency.store.InvalidMessageIdException if the id cannot be used; the text names the places looked at
     */
    Optional<String> messageId(M message);
}
