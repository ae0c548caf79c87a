package io.idempotency.results;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;

/** A request has the id of another one, which was answered. It was not handled. */
public final class OtherRequestException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    OtherRequestException(MessageId id) {
        super(
                "Another request with the id of " + id
                        + " was answered: its content differs. Give each request an id of its own, and repeat a request with the same content");
    }
}
