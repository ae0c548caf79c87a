package io.idempotency.store;

/** Nobody knows a consumer or a replay of this name: probably the name is wrong. Nothing was changed. */
public final class NotFoundException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    /** Creates an exception with a sentence for operators. */
    public NotFoundException(String message) {
        super(message);
    }
}
