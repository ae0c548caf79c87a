package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.MessageIdInterceptor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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

/** Two outputs of a record are two messages, and the same two when the record is handled again, also if they carry the headers of their record. */
class CopiedIdsTest {

    enum Kind {
        MESSAGE,
        BATCH,
        PLAIN
    }

    /** A value that the template's own serializer knows, and the class of serializers in the settings does not. */
    record Posted(String value) {}

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

        /** Stamps as those of Boot do, with a serializer that is an object. */
        @Bean(defaultCandidate = false)
        KafkaTemplate<String, Posted> withSerializer() {
            return new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(
                    Map.of(
                            "bootstrap.servers",
                            TestServers.bootstrapServers(),
                            "interceptor.classes",
                            MessageIdInterceptor.class.getName()),
                    new StringSerializer(),
                    (topic, posted) -> posted.value().getBytes(StandardCharsets.UTF_8)));
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<Object, Object> template;
        private final KafkaTemplate<String, String> madeByHand;
        private final KafkaTemplate<String, Posted> withSerializer;

        Listeners(
                Effects.Ledger ledger,
                KafkaTemplate<Object, Object> template,
                @Qualifier("madeByHand") KafkaTemplate<String, String> madeByHand,
                @Qualifier("withSerializer") KafkaTemplate<String, Posted> withSerializer) {
            this.ledger = ledger;
            this.template = template;
            this.madeByHand = madeByHand;
            this.withSerializer = withSerializer;
        }

        @KafkaListener(id = "PLAIN", groupId = "${topic}-PLAIN", topics = "${topic}-PLAIN")
        @Idempotent("plain")
        void plain(String value) {
            ledger.post(value);
            for (int i = 0; i < 2; i++) {
                CompletableFuture<?> unused = withSerializer.send(outputs.apply(Kind.PLAIN).name, new Posted(value));
            }
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
        List<String> ids = outputs.apply(kind).read().stream()
                .filter(output -> output.value().equals(value + 2))
                .map(output -> BenchTopic.header(output, "message-id"))
                .toList();
        assertThat(ids).hasSize(4);
        assertThat(ids.subList(0, 2))
                .doesNotHaveDuplicates()
                .isEqualTo(ids.subList(2, 4))
                .allSatisfy(id -> assertThat(UUID.fromString(id).version()).isEqualTo(8));
    }
}
