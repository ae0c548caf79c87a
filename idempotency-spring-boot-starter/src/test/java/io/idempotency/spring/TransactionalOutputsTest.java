package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;

/** The Kafka transaction of a template that joins the transaction of a listener is committed before the database. */
class TransactionalOutputsTest {

    enum Kind {
        RECORD,
        POLL
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> outputs = bench.topics(Kind.class, "-out");

    @BeforeAll
    static void start() {
        bench.start(Producers.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Producers {

        @Bean
        KafkaTemplate<String, String> transactional() {
            DefaultKafkaProducerFactory<String, String> factory = new DefaultKafkaProducerFactory<>(
                    Map.of("bootstrap.servers", TestServers.bootstrapServers()),
                    new StringSerializer(),
                    new StringSerializer());
            factory.setTransactionIdPrefix(TestServers.name());
            return new KafkaTemplate<>(factory);
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<String, String> template;

        Listeners(Effects.Ledger ledger, KafkaTemplate<String, String> template) {
            this.ledger = ledger;
            this.template = template;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        void record(String value) {
            post(Kind.RECORD, value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            post(Kind.POLL, value);
        }

        private void post(Kind kind, String value) {
            ledger.post(value);
            CompletableFuture<?> unused = template.send(outputs.apply(kind).name, value);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-6.7")
    void areCommittedBeforeTheDatabaseWhichMayRefuseTheCommit(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";
        bench.ledger().refuseFirstCommitOf(value + 2);

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(outputs.apply(kind).readCommitted())
                .extracting(ConsumerRecord::value)
                .contains(value + 1, value + 3)
                .filteredOn(output -> output.equals(value + 2))
                .hasSize(2);
    }
}
