package io.idempotency;

import java.time.Duration;
import java.util.Optional;

/**
 * The stop of a partition at its first unsettled delivery. Deliver it, and all deliveries behind it in its partition, again after
 * {@link #retryAfter}.
 *
 * @param index the index of that delivery in the list consumed
 * @param retryAfter how long the partition waits; zero: at once
 * @param cause the failure of this delivery, or of another one that was handled together with it; empty if the delivery is in progress
 *     elsewhere or there was no time left
 * @param isCharged whether that delivery failed alone or was named by its handler, so that it counts as an attempt; a transient failure
 *     does not, nor one among others
 */
public record Stop(int index, Duration retryAfter, Optional<Throwable> cause, boolean isCharged) {}
