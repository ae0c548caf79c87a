package io.idempotency.simulation;

/** A promise was broken. */
final class Violation extends AssertionError {

    private static final long serialVersionUID = 1L;

    Violation(String what) {
        super(what);
    }
}
