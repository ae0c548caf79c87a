package io.idempotency.testkit;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;

/** The messages of one test: a consumer that no other test uses, and deliveries to it. */
final class Messages {

    private final String consumer;

    private Messages(String consumer) {
        this.consumer = consumer;
    }

    static Messages ofNewConsumer() {
        return new Messages("consumer-" + UUID.randomUUID());
    }

    String consumer() {
        return consumer;
    }

    MessageId id(String value) {
        return new MessageId(consumer, value);
    }

    Delivery at(String value, long offset) {
        return at(value, 0, offset);
    }

    Delivery at(String value, int partition, long offset) {
        return new Delivery(id(value), new Position("orders", partition, offset));
    }

    /** Returns messages {@code m-0}, {@code m-1} and so on at consecutive offsets of partition 0. */
    List<Delivery> inARow(int count) {
        return IntStream.range(0, count).mapToObj(i -> at("m-" + i, i)).toList();
    }
}
