package io.idempotency.benchmarks;

/** What is done to the database before something is measured. */
@FunctionalInterface
interface Preparation {

    Preparation NONE = database -> {};

    void prepare(Database database);
}
