package io.idempotency.spring;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchListenerFailedException;

/**
 * Names the records of a poll that are not settled, the first of them as the failed one. A container that knows only the failed record would also
 * redeliver the settled records of other partitions behind it.
 */
final class LeftRecordsException extends BatchListenerFailedException {

    private static final long serialVersionUID = 1L;

    private final transient List<ConsumerRecord<?, ?>> open;

    private LeftRecordsException(String message, Throwable cause, List<ConsumerRecord<?, ?>> open) {
        super(message, cause, open.get(0));
        this.open = open;
    }

    /** Leaves all records from the first one on. */
    static LeftRecordsException all(String message, Throwable cause, List<? extends ConsumerRecord<?, ?>> records) {
        return new LeftRecordsException(message, cause, List.copyOf(records));
    }

    /**
     * Leaves a poll at its first record that is not settled.
     *
     * @param stops the indexes of records to poll again from: at least the first unsettled one of each partition
     */
    static LeftRecordsException at(
            String message, Throwable cause, List<? extends ConsumerRecord<?, ?>> records, List<Integer> stops) {
        Map<TopicPartition, Integer> from = new HashMap<>();
        stops.forEach(index -> from.merge(WaitingException.partition(records.get(index)), index, Math::min));
        List<ConsumerRecord<?, ?>> open = new ArrayList<>();
        for (int i = Collections.min(stops); i < records.size(); i++) {
            if (i >= from.getOrDefault(WaitingException.partition(records.get(i)), Integer.MAX_VALUE)) {
                open.add(records.get(i));
            }
        }
        return new LeftRecordsException(message, cause, open);
    }

    /** Returns the one in the chain of causes, or null. */
    static @Nullable LeftRecordsException in(Throwable thrown) {
        for (Throwable next : Failure.causes(thrown)) {
            if (next instanceof LeftRecordsException left) {
                return left;
            }
        }
        return null;
    }

    /** Returns the records that are not settled. The first of them failed or waits. */
    List<ConsumerRecord<?, ?>> open() {
        return open;
    }
}
