package io.idempotency.store;

/**
 * The root of every failure that this library raises itself. What a handler throws leaves unwrapped and is never of this
 * type.
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
