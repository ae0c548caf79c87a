package io.idempotency.outbox;

import java.time.Instant;

/**
 * An output that Kafka refused for good, without its bytes.
 *
 * @param number which stays the same
 * @param id its message id
 * @param addedAt when it was added
 * @param bytes of its value; 0 if that is null
 * @param reason why it was refused
 */
public record RefusedSummary(long number, String topic, String id, Instant addedAt, long bytes, String reason) {}
