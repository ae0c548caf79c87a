package io.idempotency.spring;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * The last record of each partition that a listener has settled: if the container then reports it as failed, what failed is the commit of
 * its offset. Thread-safe.
 */
final class SettledRecords {

    private final Map<TopicPartition, Long> last = new ConcurrentHashMap<>();

    void begun(ConsumerRecord<?, ?> record) {
        last.remove(WaitingException.partition(record));
    }

    void settled(ConsumerRecord<?, ?> record) {
        last.put(WaitingException.partition(record), record.offset());
    }

    boolean isSettled(ConsumerRecord<?, ?> record) {
        Long offset = last.get(WaitingException.partition(record));
        return offset != null && offset == record.offset();
    }
}
