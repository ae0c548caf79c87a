package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Payload;
import java.util.Optional;
import java.util.function.Function;

/**
 * The failure of a message that failed alone.
 *
 * @param attempts how many handlers have failed for the message
 * @param held the claim of the message, if there is one: a lease, or a committed claim
 * @param reader reads the raw bytes
 */
record Charge<T>(Throwable failure, int attempts, Optional<Claim> held, Function<? super T, Payload> reader) {}
