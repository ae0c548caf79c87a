package io.idempotency.kafka;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Makes an id of the original position of a record, followed back through retry and dead-letter topics of spring-kafka. */
record ForwardedCoordinates(Coordinates coordinates, Predicate<String> isRetryTopic) implements IdSource<Object> {

    private static final List<String> FAMILIES = List.of("kafka_original-", "kafka_dlt-original-");
    private static final String TOPIC = "topic";
    private static final String PARTITION = "partition";
    private static final String OFFSET = "offset";
    private static final String TIMESTAMP = "timestamp";

    @Override
    public Optional<String> find(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        if (!isRetryTopic.test(record.topic())) {
            removeOrigin(record.headers());
            return Optional.of(own(record));
        }
        Header[] headers = record.headers().toArray();
        int origin = origin(headers);
        if (origin < 0) {
            return Optional.of(own(record));
        }
        String topic = topic(headers[origin]);
        String family = headers[origin].key().substring(0, headers[origin].key().length() - TOPIC.length());
        // Each forwarding writes its topic first.
        List<Header> of = List.of(headers).subList(origin, headers.length);
        int partition = number(of, family + PARTITION, Integer.BYTES).getInt();
        long offset = number(of, family + OFFSET, Long.BYTES).getLong();
        long timestamp = number(of, family + TIMESTAMP, Long.BYTES).getLong();
        return Optional.of(coordinates.id(topic, partition, offset, timestamp + ":"));
    }

    /** Returns whether the record has an origin header, whoever wrote it. */
    static boolean isForwarded(Headers headers) {
        return FAMILIES.stream().anyMatch(family -> headers.lastHeader(family + TOPIC) != null);
    }

    private String own(ConsumerRecord<?, ?> record) {
        return coordinates.id(record.topic(), record.partition(), record.offset(), record.timestamp() + ":");
    }

    /** Removes origin headers that came with the record: spring-kafka would forward them in place of the true origin. */
    private static void removeOrigin(Headers headers) {
        for (String family : FAMILIES) {
            for (String part : List.of(TOPIC, PARTITION, OFFSET, TIMESTAMP)) {
                if (headers.lastHeader(family + part) != null) {
                    headers.remove(family + part);
                }
            }
        }
    }

    /**
     * Returns the index of the header with the topic of the origin; -1 without one. Each forwarding appends its headers, so they are followed back
     * from the last, as long as they name retry topics. Headers in front of those came with the record.
     */
    private int origin(Header[] headers) throws UnusableId {
        int origin = -1;
        for (int i = headers.length - 1; i >= 0; i--) {
            String name = headers[i].key();
            if (FAMILIES.stream().anyMatch(family -> name.equals(family + TOPIC))) {
                origin = i;
                if (!isRetryTopic.test(topic(headers[i]))) {
                    return origin;
                }
            }
        }
        return origin;
    }

    private static String topic(Header header) throws UnusableId {
        byte @Nullable [] value = header.value();
        if (value == null) {
            throw new UnusableId("header " + header.key() + " is empty");
        }
        return HeaderIds.utf8(value, () -> "header " + header.key());
    }

    private static ByteBuffer number(List<Header> headers, String name, int bytes) throws UnusableId {
        byte @Nullable [] value = headers.stream()
                .filter(header -> header.key().equals(name))
                .map(Header::value)
                .flatMap(Stream::ofNullable)
                .findFirst()
                .orElseThrow(() -> new UnusableId("header " + name + " is missing"));
        if (value.length != bytes) {
            throw new UnusableId("header " + name + " has " + value.length + " bytes instead of " + bytes);
        }
        return ByteBuffer.wrap(value);
    }
}
