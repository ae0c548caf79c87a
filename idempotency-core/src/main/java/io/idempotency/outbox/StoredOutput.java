package io.idempotency.outbox;

/**
 * An output in its table.
 *
 * @param number grows with each output that is added
 */
public record StoredOutput(long number, Output output) {}
