package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;

/**
 * A message as a store remembers it.
 *
 * @param status what became of it; never {@code BEHIND} or {@code UNKNOWN}, which a store does not know
 * @param position the position of the delivery that was settled, or is leased
 * @param at when it was settled, dropped or released; of a lease or an unproved claim, when it ends
 * @param age how long ago that was, by the store's clock; negative if a lease still lasts
 * @param attempt how many times it was leased; 1 without leases
 */
public record StoredMessage(MessageStatus status, Position position, Instant at, Duration age, int attempt) {}
