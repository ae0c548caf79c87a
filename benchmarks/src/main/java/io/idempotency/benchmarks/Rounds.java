package io.idempotency.benchmarks;

/** Runs the rounds of a contestant. */
@FunctionalInterface
interface Rounds {

    Outcome run(Round round) throws Exception;
}
