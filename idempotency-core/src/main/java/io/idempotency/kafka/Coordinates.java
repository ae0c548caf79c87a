package io.idempotency.kafka;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** The position of a record as its id, followed back from retry and dead-letter topics of spring-kafka to the original one. */
record Coordinates(Function<String, String> topicId) implements IdSource<Object> {

    private static final String RETRY = "kafka_original-";
    private static final String DEAD_LETTER = "kafka_dlt-original-";

    @Override
    public Optional<String> find(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        Optional<String> family = family(record);
        if (family.isEmpty()) {
            return Optional.of(id(record.topic(), record.partition(), record.offset()));
        }
        String header = family.get() + "topic";
        String topic = HeaderIds.utf8(value(record, header), () -> "header " + header);
        int partition =
                number(record, family.get() + "partition", Integer.BYTES).getInt();
        long offset = number(record, family.get() + "offset", Long.BYTES).getLong();
        return Optional.of(id(topic, partition, offset));
    }

    private String id(String topic, int partition, long offset) {
        return HeaderIds.KIND + "at:" + partition + ":" + offset + ":" + topic.length() + ":" + topic
                + topicId.apply(topic);
    }

    /** Headers keep the order in which they were added, so the first one tells of the earliest forwarding. */
    private static Optional<String> family(ConsumerRecord<?, ?> record) {
        for (Header header : record.headers()) {
            if (header.key().equals(RETRY + "topic")) {
                return Optional.of(RETRY);
            }
            if (header.key().equals(DEAD_LETTER + "topic")) {
                return Optional.of(DEAD_LETTER);
            }
        }
        return Optional.empty();
    }

    private static ByteBuffer number(ConsumerRecord<?, ?> record, String name, int bytes) throws UnusableId {
        byte[] value = value(record, name);
        if (value.length != bytes) {
            throw new UnusableId("header " + name + " has " + value.length + " bytes instead of " + bytes);
        }
        return ByteBuffer.wrap(value);
    }

    private static byte[] value(ConsumerRecord<?, ?> record, String name) throws UnusableId {
        for (Header header : record.headers().headers(name)) {
            byte @Nullable [] value = header.value();
            if (value != null) {
                return value;
            }
        }
        throw new UnusableId("header " + name + " is missing");
    }
}
