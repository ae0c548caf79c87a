package io.idempotency;

import io.idempotency.store.IdempotencyException;

/** Why a message is in quarantine although it did not fail: it came with one of its last deliveries, and was put there before it was handled. */
public final class LastDeliveryException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    LastDeliveryException(String delivery) {
        super(
                delivery
                        + " came with one of its last deliveries: its earlier ones ended without a result, because their processes died or were too slow. It was"
                        + " kept before its handler ran. If it is still here, the handler did not end, and may have killed its process: replay it when that is mended");
    }
}
