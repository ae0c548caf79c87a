package io.idempotency;

import io.idempotency.store.Claim;
import java.util.List;

/**
 * Processes several messages in one call: no duplicates, each partition in order. A batch that fails is halved with each delivery until the
 * failing message is alone. One call of the consumer never hands over the same object twice.
 */
@FunctionalInterface
public interface BatchHandler<M> {

    /**
     * Processes the messages, all or none.
     *
     * @param claims the claim of each message, in the same order
     * @throws BatchFailedException if it is known which message failed
     * @throws Exception if the batch fails in any other way
     */
    void handle(List<M> messages, List<Claim> claims) throws Exception;
}
