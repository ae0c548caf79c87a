package io.idempotency.outbox;

import java.time.Duration;

/**
 * Counts of an outbox.
 *
 * @param waiting outputs that are to be sent
 * @param age of the oldest of them; zero if none waits
 * @param refused outputs that Kafka refused for good
 */
public record OutboxTotal(long waiting, Duration age, long refused) {}
