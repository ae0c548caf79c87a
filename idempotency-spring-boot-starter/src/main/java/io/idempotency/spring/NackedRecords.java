package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The records of a poll from the one on that the listener acknowledged negatively. After the rollback those before it run again, but for these
 * the listener is not called before the container has waited and delivers them again.
 */
final class NackedRecords {

    private final List<ConsumerRecord<Object, Object>> polled;
    private final Set<ConsumerRecord<Object, Object>> nacked = Collections.newSetFromMap(new IdentityHashMap<>());
    private RememberedAck.@Nullable Nack nack;

    NackedRecords(List<ConsumerRecord<Object, Object>> polled) {
        this.polled = polled;
    }

    /** Refuses records that are not to be handled in this poll any more. */
    void requireNone(List<ConsumerRecord<Object, Object>> batch) throws BatchFailedException {
        for (int i = 0; nack != null && i < batch.size(); i++) {
            if (nacked.contains(batch.get(i))) {
                throw new BatchFailedException(i, nack);
            }
        }
    }

    /** Notes what was acknowledged negatively, if that is why the record of a batch failed. Returns the same failure. */
    BatchFailedException noting(List<ConsumerRecord<Object, Object>> batch, BatchFailedException failure) {
        if (failure.getCause() instanceof RememberedAck.Nack negative) {
            nack = negative;
            // A record has no equality of its own: it is found by identity.
            nacked.addAll(polled.subList(polled.indexOf(batch.get(failure.index())), polled.size()));
        }
        return failure;
    }
}
