package io.idempotency;

import java.time.Duration;
import java.util.Optional;

/**
 * Where and why a partition was left: the first delivery of it that is not settled. Deliver it, and all behind it in its
 * partition, again after the time given.
 *
 * @param index the index of that delivery in the list consumed
 * @param retryAfter how long the partition waits; zero: at once
 * @param cause what failed, this delivery or another one together with it; empty if the delivery is in progress elsewhere or there was no
 *     time left
 * @param isCharged whether that delivery failed alone or was named by its handler, so that it counts as an attempt; a transient failure
 *     does not, nor one among others
 */
public record Stop(int index, Duration retryAfter, Optional<Throwable> cause, boolean isCharged) {}
