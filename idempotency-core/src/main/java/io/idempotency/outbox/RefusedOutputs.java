package io.idempotency.outbox;

import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * The outputs of an outbox that Kafka refused for good, and that were set aside. They have the numbers that they had when they waited. Each method is one statement,
 * in the active transaction, or in one of its own. Thread-safe.
 */
public interface RefusedOutputs {

    /**
     * Lists refused outputs without their bytes, by their numbers.
     *
     * @param topic whose outputs to list; empty for all
     * @param after lists greater numbers only; 0 from the first one on
     */
    List<RefusedSummary> list(Optional<String> topic, long after, int most);

    /** Returns a refused output with its bytes; empty if none has this number. */
    Optional<RefusedOutput> find(long number);

    /** Counts the refused outputs of each topic, by its name. */
    SortedMap<String, Long> countByTopic();

    /** Has a refused output sent again. Others with its key may have been sent meanwhile. Returns whether it was there. */
    boolean resend(long number);

    /** Has all refused outputs of a topic sent again, in their order. Returns their number. */
    int resendAll(String topic);

    /** Deletes a refused output. Returns whether it was there. */
    boolean discard(long number);
}
