package io.idempotency;

import io.idempotency.store.Claim;

/**
 * Processes one message.
 *
 * <p>Under {@link ConsistencyLevel#STRONG} it runs inside the transaction that claimed and may run more than once for a message whose
 * effect happens once; effects outside that transaction's connection may repeat. What it sends elsewhere it is to wait for: a message that is
 * remembered as processed does not run again. It may change its message: the object does not come again in one call of the consumer.
 */
@FunctionalInterface
public interface MessageHandler<M> {

    /**
     * Processes the message.
     *
     * @param claim the claim it runs under: message id, position and, for a lease, attempt and end as the fencing token
     * @throws Exception whatever makes the message fail; it is rolled back or released, then decided by the
     *     {@link FailurePolicy}
     */
    void handle(M message, Claim claim) throws Exception;
}
