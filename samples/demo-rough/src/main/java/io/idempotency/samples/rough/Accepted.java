package io.idempotency.samples.rough;

/**
 * What is published in a transaction, and heard of after its commit.
 *
 * @param isAside whether its listener begins a transaction
 */
record Accepted(int number, boolean isAside) {}
