package io.idempotency;

import io.idempotency.store.IdempotencyException;

/** Why a message is in quarantine although it did not fail: it came again, or for the last time, and was put there before it was handled. */
public final class LastDeliveryException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    LastDeliveryException(String delivery) {
        super(
                delivery
                        + " came again, or for the last time: an earlier delivery ended without a result, because its process died or was too slow. It was"
                        + " kept before its handler ran. If it is still here, the handler did not end, and may have killed its process: replay it when that is mended");
    }
}
