package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.DerivedIds;
import io.idempotency.store.MessageId;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.Message;
import org.springframework.messaging.support.MessageBuilder;

/** Two outputs with the headers of their record are two messages, and the same two when the record is handled again. */
class CopiedIdsTest {

    enum Kind {
        MESSAGE,
        BATCH
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

        /** Its factory stamps nothing. */
        @Bean(defaultCandidate = false)
        KafkaTemplate<String, String> madeByHand() {
            return new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(
                    Map.of("bootstrap.servers", TestServers.bootstrapServers()),
                    new StringSerializer(),
                    new StringSerializer()));
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<Object, Object> template;
        private final KafkaTemplate<String, String> madeByHand;

        Listeners(
                Effects.Ledger ledger,
                KafkaTemplate<Object, Object> template,
                @Qualifier("madeByHand") KafkaTemplate<String, String> madeByHand) {
            this.ledger = ledger;
            this.template = template;
            this.madeByHand = madeByHand;
        }

        @KafkaListener(id = "MESSAGE", groupId = "${topic}-MESSAGE", topics = "${topic}-MESSAGE")
        @Idempotent("message")
        void message(Message<String> message) {
            ledger.post(message.getPayload());
            for (int i = 0; i < 2; i++) {
                CompletableFuture<?> unused = template.send(MessageBuilder.fromMessage(message)
                        .setHeader(KafkaHeaders.TOPIC, outputs.apply(Kind.MESSAGE).name)
                        .build());
            }
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void batch(List<ConsumerRecord<String, String>> records) {
            for (ConsumerRecord<String, String> record : records) {
                ledger.post(record.value());
                for (int i = 0; i < 2; i++) {
                    CompletableFuture<?> unused = madeByHand.send(new ProducerRecord<>(
                            outputs.apply(Kind.BATCH).name,
                            null,
                            null,
                            record.key(),
                            record.value(),
                            record.headers()));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-5.18")
    void areReplacedByTheSameOnesInEachRun(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":copied:";
        bench.ledger().refuseFirstCommitOf(value + 2);

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2));

        topic.awaitSettled();
        MessageId second = new MessageId(kind.name().toLowerCase(Locale.ROOT), value + 2);
        assertThat(outputs.apply(kind).read())
                .filteredOn(output -> output.value().equals(value + 2))
                .extracting(output -> BenchTopic.header(output, "message-id"))
                .containsExactly(
                        DerivedIds.of(second, 0),
                        DerivedIds.of(second, 1),
                        DerivedIds.of(second, 0),
                        DerivedIds.of(second, 1));
    }
}
