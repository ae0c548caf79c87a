package io.idempotency;

import java.util.Optional;

/** Finds the message id in a message. Thread-safe. */
@FunctionalInterface
public interface MessageIdExtractor<M> {

    /**
     * Returns the id that the producer gave the message; empty if there is none, which makes the message a failed one. Whatever else
     * this throws is decided by the {@link FailurePolicy}, as if the handler had thrown it.
     *
     * @throws io.idempotency.store.InvalidMessageIdException if there is one that cannot be used; the message says where it
     *     was looked for
     */
    Optional<String> messageId(M message);
}
