package io.idempotency.cli;

/** Somebody ended the command before it was done. */
final class StoppedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    StoppedException(String message) {
        super(message);
    }
}
