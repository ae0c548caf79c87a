package io.idempotency;

import java.util.Optional;

/** Finds the key of a message, whose order is kept. Thread-safe. */
@FunctionalInterface
public interface KeyExtractor<M> {

    /**
     * Returns the key: text, bytes, a {@code ByteBuffer}, a {@code UUID}, an {@code Integer}, a {@code Long} or a {@code Short}. Empty for a message
     * without a key, which has no order. It is the same at each delivery and in every process.
     */
    Optional<?> key(M message);
}
