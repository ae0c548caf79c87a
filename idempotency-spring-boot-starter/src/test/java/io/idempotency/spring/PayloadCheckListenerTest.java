package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Outcome;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.RecordReread;
import io.idempotency.micrometer.MeterNames;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.StandStillException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.annotation.KafkaListener;

/** Records with the id of a processed one and another value, for each kind of listener. */
class PayloadCheckListenerTest {

    enum Kind {
        RECORD,
        POLL,
        BATCH
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Bean
        static MeterRegistry meters() {
            return new SimpleMeterRegistry();
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }
    }

    @Tag("rule-2.14")
    @ParameterizedTest
    @ValueSource(strings = {"quarantine", "fail"})
    void areQuarantinedOrStandStill(String policy) throws Exception {
        try (ListenerBench bench =
                new ListenerBench().withoutJpa().with("idempotency.payload-check.policy=" + policy)) {
            Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
            for (Kind kind : Kind.values()) {
                topics.apply(kind).send(0, "a", kind + ":first");
                topics.apply(kind).send(0, "a", kind + ":first");
                topics.apply(kind).send(0, "a", kind + ":another");
                topics.apply(kind).send(0, "b", kind + ":last");
            }
            bench.start(Listeners.class);

            for (Kind kind : Kind.values()) {
                BenchTopic topic = topics.apply(kind);
                if (policy.equals("quarantine")) {
                    topic.awaitSettled();
                    assertThat(bench.effects(kind + ":")).containsExactly(kind + ":first", kind + ":last");
                    assertThat(bench.bean(QuarantineStore.class).list(kind.name(), 10))
                            .singleElement()
                            .satisfies(id -> assertThat(id.value()).startsWith("~other~" + topic.name + "-0@2"));
                } else {
                    ListenerBench.await()
                            .untilAsserted(() -> assertThat(bench.bean(Effects.Consumptions.class).all)
                                    .anySatisfy(event -> {
                                        assertThat(event.delivery().position()).hasToString(topic.name + "-0@2");
                                        assertThat(event.outcome()).isEqualTo(Outcome.RELEASED);
                                        assertThat(event.failure()).get().isInstanceOf(StandStillException.class);
                                    }));
                    ListenerBench.await().until(() -> topic.committed(0) == 2);
                    assertThat(bench.effects(kind + ":")).doesNotContain(kind + ":another");
                }
                assertThat(bench.bean(MeterRegistry.class)
                                .get(MeterNames.MISMATCHES)
                                .tag("consumer", kind.name())
                                .counter()
                                .count())
                        .isEqualTo(1);
                assertThat(bench.bean(MeterRegistry.class)
                                .get(MeterNames.CHECKS)
                                .tags("consumer", kind.name(), "result", "same")
                                .counter()
                                .count())
                        .isEqualTo(1);
            }
        }
    }

    /** The guard of the retention needs them, to tell a topic that was created again. */
    @Test
    @Tag("rule-8.10")
    void timestampsAreReadFromRecords() {
        try (RecordReread reread = RecordReread.of(Map.of())) {
            ConsumerRecord<Object, Object> record = new ConsumerRecord<>(
                    "orders",
                    0,
                    1,
                    4711,
                    TimestampType.CREATE_TIME,
                    0,
                    0,
                    "k",
                    "v",
                    new org.apache.kafka.common.header.internals.RecordHeaders(),
                    java.util.Optional.empty());

            assertThat(new RecordBytes(reread).timestamp(record)).isEqualTo(4711);
        }
    }
}
