package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;

/**
 * Why a message is in quarantine although its handler was not started: an earlier message of its key is there, and the consumer {@linkplain
 * IdempotentConsumerBuilder#keyOrder() keeps the order of keys}. Has no stack trace.
 */
public final class BehindQuarantineException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final transient Delivery before;

    BehindQuarantineException(Delivery before) {
        super("An earlier message of its key is in quarantine: " + before
                + ". This one follows when that one was replayed or deleted");
        this.before = before;
    }

    /** Returns the last one of the earlier messages of its key. */
    public Delivery before() {
        return before;
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
