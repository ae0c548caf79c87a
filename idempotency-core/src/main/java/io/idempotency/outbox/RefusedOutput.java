package io.idempotency.outbox;

import java.time.Instant;

/**
 * An output that Kafka refused for good.
 *
 * @param stored with its number, which stays the same
 * @param addedAt when it was added
 * @param reason why it was refused
 */
public record RefusedOutput(StoredOutput stored, Instant addedAt, String reason) {}
