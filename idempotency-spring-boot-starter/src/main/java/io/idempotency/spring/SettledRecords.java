package io.idempotency.spring;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Remembers the last settled record of each partition. If the container reports such a record as failed, the commit of its offset failed.
 * Thread-safe.
 */
final class SettledRecords {

    private static final long NONE = -1;

    private final Map<TopicPartition, Long> last = new ConcurrentHashMap<>();

    void begun(ConsumerRecord<?, ?> record) {
        last.put(WaitingException.partition(record), NONE);
    }

    /** Returns whether no record has come to the listener yet. */
    boolean isEmpty() {
        return last.isEmpty();
    }

    void settled(ConsumerRecord<?, ?> record) {
        last.put(WaitingException.partition(record), record.offset());
    }

    boolean isSettled(ConsumerRecord<?, ?> record) {
        Long offset = last.get(WaitingException.partition(record));
        return offset != null && offset == record.offset();
    }
}
