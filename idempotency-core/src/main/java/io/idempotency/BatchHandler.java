package io.idempotency;

import io.idempotency.store.Claim;
import java.util.List;

/**
 * Processes several messages at once, none of them a duplicate, each partition in order. A batch that fails is halved with each delivery
 * until the failing message is alone. No message object comes twice in one call of the consumer.
 */
@FunctionalInterface
public interface BatchHandler<M> {

    /**
     * Processes the messages, all or none.
     *
     * @param claims the claim of each message, in the same order
     * @throws BatchFailedException if it is known which message failed
     * @throws Exception whatever else makes the batch fail
     */
    void handle(List<M> messages, List<Claim> claims) throws Exception;
}
