package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;

/**
 * The first processing (or quarantining) of a message: when and where.
 *
 * @param position the position of the delivery that was processed
 * @param at when, by the store's clock
 * @param age how long ago that was when the store was asked, by the store's clock
 */
public record Processed(Position position, Instant at, Duration age) {}
