package io.idempotency.samples.rough;

/**
 * The event that a handler publishes in a transaction, and that listeners receive after its commit.
 *
 * @param isAside whether its listener begins a transaction
 */
record Accepted(int number, boolean isAside) {}
