package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;

/**
 * How many messages of a consumer are in quarantine.
 *
 * @param messages how many
 * @param oldest when the oldest one was quarantined first, by the store's clock
 * @param age how long ago that was, by the store's clock
 */
public record QuarantineTotal(long messages, Instant oldest, Duration age) {}
