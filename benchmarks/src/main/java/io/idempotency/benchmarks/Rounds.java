package io.idempotency.benchmarks;

/** Runs what a contestant is told to. */
@FunctionalInterface
interface Rounds {

    Outcome run(Round round) throws Exception;
}
