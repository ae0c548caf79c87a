package io.idempotency.benchmarks;

/** Prepares the database before a measurement. */
@FunctionalInterface
interface Preparation {

    Preparation NONE = database -> {};

    void prepare(Database database) throws InterruptedException;
}
