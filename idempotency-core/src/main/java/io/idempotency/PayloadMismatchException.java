package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.io.Serial;

/** A message has the id of a processed one, and another content. */
public final class PayloadMismatchException extends IdempotencyException {

    @Serial
    private static final long serialVersionUID = 1L;

    PayloadMismatchException(Delivery delivery, Position first) {
        super(delivery + " is another message than the one at " + first
                + ", which was processed with the same id. Have the sender give each message an id of its own");
    }
}
