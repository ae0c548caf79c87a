package io.idempotency.samples.services;

/** A situation of docs/operations.md: what happens, what the page says to do, and what comes of it. Leaves the services running and idle. */
interface Situation {

    String heading();

    void run(Operator operator) throws Exception;
}
