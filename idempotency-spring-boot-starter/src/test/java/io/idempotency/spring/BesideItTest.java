package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Transactional;

/** What else spring-kafka lets an application hang on its listeners works beside {@link Idempotent}. */
class BesideItTest {

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic handlers = bench.topic("HANDLERS");
    private static final BenchTopic transactional = bench.topic("TRANSACTIONAL");
    private static final BenchTopic processed = bench.topic("PROCESSED");
    private static final List<BenchTopic> filtered = List.of(
            bench.topic("FILTERED"),
            bench.topic("FILTERED_MANUAL"),
            bench.topic("FILTERED_BATCH"),
            bench.topic("FILTERED_BATCH_MANUAL"));

    private static final List<BenchTopic> strict = List.of(
            bench.topic("STRICT"),
            bench.topic("STRICT_META"),
            bench.topic("STRICT_BATCH"),
            bench.topic("STRICT_CLASS"));

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Hooks.class, Listeners.class, StrictListeners.class, Handlers.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Hooks {

        private final List<String> seen = new CopyOnWriteArrayList<>();

        /** Takes out what the application does not want to see. */
        @Bean
        RecordFilterStrategy<String, String> unwanted() {
            return record -> record.value().contains("unwanted");
        }

        @Bean
        RecordInterceptor<Object, Object> interceptor() {
            return new RecordInterceptor<>() {
                @Override
                public ConsumerRecord<Object, Object> intercept(
                        ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
                    seen.add("intercepted " + record.value());
                    return record;
                }

                @Override
                public void success(ConsumerRecord<Object, Object> record, Consumer<Object, Object> consumer) {
                    seen.add("succeeded " + record.value());
                }
            };
        }

        @Bean
        ConsumerAwareRebalanceListener rebalances() {
            return new ConsumerAwareRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
                    partitions.forEach(partition -> seen.add("assigned " + partition));
                }
            };
        }

        @Bean
        ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>> usersOwn() {
            return container -> {
                container.setListenerInfo("mine".getBytes(StandardCharsets.UTF_8));
                seen.add("post-processed " + container.getListenerId());
            };
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "TRANSACTIONAL",
                groupId = "${topic}-TRANSACTIONAL",
                topics = "${topic}-TRANSACTIONAL",
                filter = "unwanted")
        @Idempotent("transactional")
        @Transactional
        public void inTransaction(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "STRICT", groupId = "${topic}-STRICT", topics = "${topic}-STRICT")
        @Idempotent("strict")
        @Transactional(isolation = Isolation.SERIALIZABLE, timeout = 30)
        public void strict(String value) {
            ledger.postTransaction(value);
        }

        @KafkaListener(id = "STRICT_META", groupId = "${topic}-STRICT_META", topics = "${topic}-STRICT_META")
        @Idempotent("strict-meta")
        @Strict
        public void strictByAnnotationOfOnesOwn(String value) {
            ledger.postTransaction(value);
        }

        @KafkaListener(
                id = "STRICT_BATCH",
                groupId = "${topic}-STRICT_BATCH",
                topics = "${topic}-STRICT_BATCH",
                batch = "true")
        @Idempotent("strict-batch")
        @Strict
        public void strictBatch(List<String> values) {
            values.forEach(ledger::postTransaction);
        }

        @KafkaListener(
                id = "PROCESSED",
                groupId = "${topic}-PROCESSED",
                topics = "${topic}-PROCESSED",
                containerPostProcessor = "usersOwn")
        @Idempotent("processed")
        public void processed(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FILTERED",
                groupId = "${topic}-FILTERED",
                topics = "${topic}-FILTERED",
                filter = "unwanted")
        @Idempotent("filtered")
        public void filtered(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FILTERED_MANUAL",
                groupId = "${topic}-FILTERED_MANUAL",
                topics = "${topic}-FILTERED_MANUAL",
                filter = "unwanted",
                ackMode = "MANUAL")
        @Idempotent("filtered-manual")
        public void filteredManual(String value, Acknowledgment ack) {
            ledger.post(value);
            ack.acknowledge();
        }

        @KafkaListener(
                id = "FILTERED_BATCH",
                groupId = "${topic}-FILTERED_BATCH",
                topics = "${topic}-FILTERED_BATCH",
                filter = "unwanted",
                batch = "true")
        @Idempotent("filtered-batch")
        public void filteredBatch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(
                id = "FILTERED_BATCH_MANUAL",
                groupId = "${topic}-FILTERED_BATCH_MANUAL",
                topics = "${topic}-FILTERED_BATCH_MANUAL",
                filter = "unwanted",
                batch = "true",
                ackMode = "MANUAL")
        @Idempotent("filtered-batch-manual")
        public void filteredBatchManual(List<String> values, Acknowledgment ack) {
            values.forEach(ledger::post);
            if (!values.isEmpty()) {
                ack.acknowledge();
            }
        }
    }

    @Retention(RetentionPolicy.RUNTIME)
    @Transactional(isolation = Isolation.SERIALIZABLE, timeoutString = "${strict:30}")
    @interface Strict {}

    @Transactional(isolation = Isolation.SERIALIZABLE, timeout = 30)
    static class StrictListeners {

        private final Effects.Ledger ledger;

        StrictListeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "STRICT_CLASS", groupId = "${topic}-STRICT_CLASS", topics = "${topic}-STRICT_CLASS")
        @Idempotent("strict-class")
        public void strict(String value) {
            ledger.postTransaction(value);
        }
    }

    /** Gives numbers and words to different handlers. */
    public static final class NumberOrWord implements Deserializer<Object> {

        @Override
        public Object deserialize(String topic, byte[] data) {
            String text = new String(data, StandardCharsets.UTF_8);
            return text.matches("\\d+") ? Integer.valueOf(text) : text;
        }
    }

    @KafkaListener(
            id = "HANDLERS",
            groupId = "${topic}-HANDLERS",
            topics = "${topic}-HANDLERS",
            properties = "value.deserializer=io.idempotency.spring.BesideItTest$NumberOrWord")
    @Idempotent("handlers")
    static class Handlers {

        private final Effects.Ledger ledger;

        Handlers(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaHandler
        void number(Integer number) {
            ledger.post("handlers:number " + number);
        }

        @KafkaHandler
        void word(String word) {
            ledger.post("handlers:word " + word);
        }
    }

    @Test
    void handlerMethodsOfAClassAreOneConsumer() {
        handlers.sendAll(0, "1", "one");
        handlers.sendAll(1, "2");
        handlers.awaitSettled();

        handlers.sendAll(0, "one", "1", "2");

        handlers.awaitSettled();
        assertThat(bench.effects("handlers:"))
                .containsExactlyInAnyOrder("handlers:number 1", "handlers:word one", "handlers:number 2");
    }

    @Test
    void aTransactionalMethodJoinsTheTransactionOfTheClaim() {
        assertThat(bench.bean(PlatformTransactionManager.class)).isInstanceOf(JdbcTransactionManager.class);
        bench.ledger().fail("tx:2", () -> new IllegalStateException("tx"));
        bench.ledger().refuseCommitOf("tx:3");
        bench.ledger().fail("tx:4", 1, () -> new IllegalStateException("tx"));

        transactional.sendAll(0, "tx:1", "tx:2", "tx:3", "tx:4", "tx:1");

        transactional.awaitSettled();
        assertThat(bench.effects("tx:")).containsExactly("tx:1", "tx:4");
        assertThat(bench.ledger().callsOf("tx:4")).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aFilterKeepsRecordsFromTheListener(int listener) {
        BenchTopic topic = filtered.get(listener);
        String value = topic.kind + ":";

        topic.whileStopped(
                () -> topic.sendAll(0, value + "unwanted1", value + 1, value + "unwanted2", value + 2, value + 1));
        topic.whileStopped(() -> topic.sendAll(0, value + "unwanted3", value + "unwanted4"));
        // With manual acknowledgment spring-kafka commits what was filtered together with the next acknowledged record.
        topic.send(0, value + 3, value + 3);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).isEmpty();
    }

    @Test
    void interceptorRebalanceListenerAndPostProcessorOfTheApplicationAreCalled() {
        processed.sendAll(0, "beside:1", "beside:1");

        processed.awaitSettled();
        assertThat(bench.effects("beside:")).containsExactly("beside:1");
        assertThat(bench.bean(Hooks.class).seen)
                .contains("post-processed PROCESSED", "assigned " + new TopicPartition(processed.name, 0))
                .containsSubsequence(
                        "intercepted beside:1", "succeeded beside:1", "intercepted beside:1", "succeeded beside:1");
        assertThat(bench.bean(Hooks.class).seen).doesNotContain("post-processed FILTERED");
    }

    @Test
    void beginsTheTransactionAsTheListenerAsksFor() {
        for (BenchTopic topic : strict) {
            topic.sendAll(0, topic.kind + "-1");
        }

        for (BenchTopic topic : strict) {
            topic.awaitSettled();
            assertThat(bench.effects(topic.kind + "-1")).containsExactly(topic.kind + "-1 serializable with a timeout");
        }
    }
}
