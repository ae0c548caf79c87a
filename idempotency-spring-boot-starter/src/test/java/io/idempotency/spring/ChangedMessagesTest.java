package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;

/** A listener that changes its message, as many do, does nothing for one that it has changed before. */
class ChangedMessagesTest {

    enum Kind {
        RECORD,
        REMAINING,
        POLL,
        POLL_REMAINING,
        BATCH,
        BATCH_REMAINING,
        NAMED,
        LEASED,
        LEASED_BATCH
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with(
                    "spring.kafka.producer.value-serializer=" + OrderSerializer.class.getName(),
                    "spring.kafka.consumer.value-deserializer=" + OrderDeserializer.class.getName());
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Recovery.InMemory.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    /** What many applications have as a message. */
    static final class Order {

        private final String id;
        private String status = "NEW";

        Order(String id) {
            this.id = id;
        }

        @Override
        public String toString() {
            return id;
        }
    }

    /** Reads an order. */
    public static final class OrderDeserializer implements Deserializer<Order> {

        @Override
        public Order deserialize(String topic, byte[] data) {
            return new Order(new String(data, UTF_8));
        }
    }

    /** Writes an order. */
    public static final class OrderSerializer implements Serializer<Object> {

        @Override
        public byte[] serialize(String topic, Object data) {
            return data.toString().getBytes(UTF_8);
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        void record(Order order) {
            accept(order);
        }

        @KafkaListener(
                id = "REMAINING",
                groupId = "${topic}-REMAINING",
                topics = "${topic}-REMAINING",
                containerFactory = "remaining")
        @Idempotent("REMAINING")
        void remaining(Order order) {
            accept(order);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        void poll(Order order) {
            accept(order);
        }

        @KafkaListener(
                id = "POLL_REMAINING",
                groupId = "${topic}-POLL_REMAINING",
                topics = "${topic}-POLL_REMAINING",
                containerFactory = "remaining")
        @Idempotent(value = "POLL_REMAINING", transactionPer = TransactionPer.POLL)
        void pollRemaining(Order order) {
            accept(order);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        void batch(List<Order> orders) {
            orders.forEach(this::accept);
        }

        @KafkaListener(
                id = "BATCH_REMAINING",
                groupId = "${topic}-BATCH_REMAINING",
                topics = "${topic}-BATCH_REMAINING",
                batch = "true",
                containerFactory = "remaining")
        @Idempotent("BATCH_REMAINING")
        void batchRemaining(List<Order> orders) {
            orders.forEach(this::accept);
        }

        @KafkaListener(id = "NAMED", groupId = "${topic}-NAMED", topics = "${topic}-NAMED", batch = "true")
        @Idempotent("NAMED")
        void named(List<Order> orders) {
            acceptOrName(orders);
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED")
        @Idempotent(value = "LEASED", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(Order order) {
            accept(order);
        }

        @KafkaListener(
                id = "LEASED_BATCH",
                groupId = "${topic}-LEASED_BATCH",
                topics = "${topic}-LEASED_BATCH",
                batch = "true")
        @Idempotent(value = "LEASED_BATCH", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leasedBatch(List<Order> orders) {
            orders.forEach(this::accept);
        }

        private void accept(Order order) {
            if (order.status.equals("NEW")) {
                order.status = "ACCEPT";
                ledger.post(order.id);
            }
        }

        private void acceptOrName(List<Order> orders) {
            for (int i = 0; i < orders.size(); i++) {
                try {
                    accept(orders.get(i));
                } catch (IllegalStateException e) {
                    throw new BatchListenerFailedException("named", e, i);
                }
            }
        }
    }

    /** What is done outside of the claim's transaction may repeat, and is not taken back. */
    private static List<String> withoutRepeats(String prefix) {
        return bench.effects(prefix).stream()
                .distinct()
                .filter(value -> !value.contains("bad"))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-1.9")
    void areNeverHandedToTheListenerAgain(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        bench.ledger().fail(value + "lock1", 1, () -> new TransientStoreException("deadlock"));
        bench.ledger().fail(value + "ill1", 1, () -> new IllegalStateException("ill"));
        bench.ledger().fail(value + "bad1", () -> new IllegalStateException("bad"));

        topic.whileStopped(() -> topic.sendAll(
                0,
                value + "a",
                value + "lock1",
                value + "b",
                value + "ill1",
                value + "c",
                value + "bad1",
                value + "d"));

        topic.awaitSettled();
        boolean isLeased = kind == Kind.LEASED || kind == Kind.LEASED_BATCH;
        assertThat(isLeased ? withoutRepeats(value) : bench.effects(value))
                .containsExactly(value + "a", value + "lock1", value + "b", value + "ill1", value + "c", value + "d");
        assertThat(deadLetters.apply(kind).values()).containsExactly(value + "bad1");
        assertThat(bench.bean(Recovery.Attempts.class).of(value + "bad"))
                .containsExactly(value + "bad1#1", value + "bad1#2", value + "bad1#3");
    }
}
