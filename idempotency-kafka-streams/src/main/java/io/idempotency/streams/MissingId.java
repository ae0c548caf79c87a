package io.idempotency.streams;

/** What becomes of a record without a usable message id. */
public enum MissingId {
    /**
     * The processor throws {@link io.idempotency.store.InvalidMessageIdException}. Kafka Streams asks its {@code processing.exception.handler}; the default
     * handler ends the stream thread, so nothing is lost.
     */
    FAIL,
    /** The record is forwarded, and is not remembered. A copy of it is forwarded, too. */
    FORWARD,
    /** The record is dropped. Its effect is lost. */
    DROP
}
