package io.idempotency.kafka;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Makes an id of the position of a record. Timestamp and leader epoch tell it from another record at the same position after the log was
 * truncated; both stay with a record that is replicated, moved or compacted.
 */
record Coordinates(Function<String, String> topicId) implements IdSource<Object> {

    @Override
    public Optional<String> find(ConsumerRecord<?, ?> record, List<String> looked) {
        return Optional.of(id(
                record.topic(),
                record.partition(),
                record.offset(),
                record.timestamp() + ":"
                        + record.leaderEpoch().map(String::valueOf).orElse("")));
    }

    String id(String topic, int partition, long offset, String written) {
        return HeaderIds.KIND + "at:" + partition + ":" + offset + ":" + written + ":" + topic.length() + ":" + topic
                + topicId.apply(topic);
    }
}
