package io.idempotency.testkit.faults;

/** Thrown if a test uses the kit in a way that proves nothing. */
final class MisuseException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MisuseException(String message) {
        super(message);
    }

    MisuseException(String message, Throwable cause) {
        super(message, cause);
    }
}
