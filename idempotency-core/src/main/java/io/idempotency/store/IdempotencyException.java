package io.idempotency.store;

/**
 * The root of every exception that this library raises itself. Exceptions of a handler leave unwrapped.
 */
public class IdempotencyException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public IdempotencyException(String message) {
        super(message);
    }

    public IdempotencyException(String message, Throwable cause) {
        super(message, cause);
    }
}
