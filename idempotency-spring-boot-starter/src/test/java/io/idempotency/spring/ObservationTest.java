package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Every delivery is observed from its start to its end, once, whatever becomes of it. */
class ObservationTest {

    enum Kind {
        RECORD,
        FILTERED,
        LEASED
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with("idempotency.claim-timeout=50ms", "spring.kafka.listener.observation-enabled=true");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Observed.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    /** What was started and stopped, as the value of the record; Spring Boot registers it. */
    @Configuration(proxyBeanMethods = false)
    static class Observed implements ObservationHandler<KafkaRecordReceiverContext> {

        private final List<String> started = new CopyOnWriteArrayList<>();
        private final List<String> stopped = new CopyOnWriteArrayList<>();
        private final List<String> failed = new CopyOnWriteArrayList<>();
        private final List<String> attributes = new CopyOnWriteArrayList<>();

        @Bean
        RecordFilterStrategy<String, String> unwanted() {
            return record -> record.value().contains("unwanted");
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof KafkaRecordReceiverContext;
        }

        @Override
        public void onStart(KafkaRecordReceiverContext context) {
            started.add(what(context));
        }

        @Override
        public void onStop(KafkaRecordReceiverContext context) {
            stopped.add(what(context));
            context.getHighCardinalityKeyValues().stream()
                    .filter(attribute -> attribute.getKey().startsWith("idempotency."))
                    .forEach(attribute -> attributes.add(what(context) + " " + attribute));
            if (context.getError() != null) {
                failed.add(
                        what(context) + " by " + context.getError().getClass().getSimpleName());
            }
        }

        private static String what(KafkaRecordReceiverContext context) {
            return String.valueOf(context.getRecord().value());
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FILTERED",
                groupId = "${topic}-FILTERED",
                topics = "${topic}-FILTERED",
                filter = "unwanted")
        @Idempotent("FILTERED")
        void filtered(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED")
        @Idempotent(value = "LEASED", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value) {
            ledger.post(value);
        }
    }

    @ParameterizedTest
    @EnumSource
    void isStartedAndStoppedOncePerDelivery(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        bench.ledger().fail(value + "bad", () -> new IllegalStateException("bad"));
        Observed observed = bench.bean(Observed.class);

        topic.sendAll(0, value + "new", value + "new", value + "unwanted", value + "bad");
        topic.sendWithoutId(0, value + "nameless");
        topic.awaitSettled();

        assertThat(observed.started)
                .filteredOn(what -> what.startsWith(value))
                .containsExactly(
                        value + "new",
                        value + "new",
                        value + "unwanted",
                        value + "bad",
                        value + "bad",
                        value + "bad",
                        value + "nameless");
        assertThat(observed.stopped).containsExactlyElementsOf(observed.started);
        assertThat(observed.failed)
                .filteredOn(what -> what.startsWith(value))
                .containsExactly(
                        value + "bad by IllegalStateException",
                        value + "bad by IllegalStateException",
                        value + "bad by IllegalStateException",
                        value + "nameless by InvalidMessageIdException");
    }

    @Test
    void tellsWhichMessageItIsAndWhatBecameOfIt() {
        BenchTopic topic = topics.apply(Kind.RECORD);
        Observed observed = bench.bean(Observed.class);

        topic.sendAll(0, "span", "span");
        topic.awaitSettled();

        assertThat(observed.attributes)
                .filteredOn(attribute -> attribute.startsWith("span "))
                .map(attribute -> attribute.substring("span ".length()))
                .containsExactly(
                        attribute(Observations.CONSUMER, "RECORD"),
                        attribute(Observations.MESSAGE_ID, "span"),
                        attribute(Observations.CONSUMER, "RECORD"),
                        attribute(Observations.KIND, "resend"),
                        attribute(Observations.MESSAGE_ID, "span"),
                        attribute(Observations.OUTCOME, "duplicate"));
    }

    private static String attribute(String name, String value) {
        return KeyValue.of(name, value).toString();
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-9.29")
    void isStartedAndStoppedOnceInAReplay(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + "-again:";
        bench.ledger().fail(value + "bad", () -> new IllegalStateException("bad"));
        Observed observed = bench.bean(Observed.class);

        bench.replay(kind.name(), topic, value + "new");
        bench.replay(kind.name(), topic, value + "unwanted");
        bench.replay(kind.name(), topic, value + "bad");

        assertThat(observed.started)
                .filteredOn(what -> what.startsWith(value))
                .containsExactly(value + "new", value + "unwanted", value + "bad");
        assertThat(observed.stopped).containsExactlyElementsOf(observed.started);
        assertThat(observed.failed)
                .filteredOn(what -> what.startsWith(value))
                .containsExactly(value + "bad by IllegalStateException");
    }

    @ParameterizedTest
    @EnumSource
    void isStoppedWhenTheClaimFails(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + "-claim";
        Observed observed = bench.bean(Observed.class);
        TransactionTemplate other = new TransactionTemplate(bench.bean(PlatformTransactionManager.class));
        other.executeWithoutResult(status -> {
            MessageId id = new MessageId(kind.name(), value);
            bench.bean(ClaimStore.class).claim(List.of(new Delivery(id, Position.UNKNOWN)));
            topic.send(0, value, value);
            ListenerBench.await()
                    .until(() -> observed.stopped.stream()
                                    .filter(what -> what.startsWith(value))
                                    .count()
                            > 1);
            status.setRollbackOnly();
        });
        topic.awaitSettled();

        assertThat(bench.ledger().callsOf(value)).isEqualTo(1);
        assertThat(observed.stopped).containsExactlyElementsOf(observed.started);
    }
}
