package io.idempotency;

import io.idempotency.store.Claim;

/**
 * Processes one message.
 *
 * <p>Under {@link ConsistencyLevel#STRONG} it runs inside the transaction that claimed. It may run more than once for a message: its effects
 * on the connection of that transaction happen once, other effects may repeat. It must wait for whatever it sends elsewhere, because a message
 * that is remembered as processed is not handled again. It may change its message: one call of the consumer never hands over the same
 * object twice.
 */
@FunctionalInterface
public interface MessageHandler<M> {

    /**
     * Processes the message.
     *
     * @param claim the claim it runs under: message id, position and, for a lease, attempt and end as the fencing token
     * @throws Exception if the message fails; it is rolled back or released, and the {@link FailurePolicy} decides
     */
    void handle(M message, Claim claim) throws Exception;
}
