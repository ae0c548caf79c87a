package io.idempotency.results;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;

/** The handler of a message no longer has the steps that an earlier attempt has finished. */
public final class StepChangedException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    StepChangedException(MessageId id, String what) {
        super(
                what + ". An earlier attempt to handle " + id
                        + " has finished that step. Keep the steps as they were until no such message is left, or give a changed step a new name beside the old one");
    }
}
