package io.idempotency.results;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;

/** Another caller's handler works on the same request. Ask again for its answer. */
public final class RequestInProgressException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    RequestInProgressException(MessageId id) {
        super("The request of " + id + " is being handled. Ask again later for its answer");
    }
}
