package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.RecordReread;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;
import org.springframework.kafka.support.serializer.JacksonJsonDeserializer;
import org.springframework.util.backoff.FixedBackOff;

/** What is quarantined is kept as it stands in the topic, whatever a deserializer makes of it. */
@ExtendWith(OutputCaptureExtension.class)
class QuarantinedBytesTest {

    enum Kind {
        TEXT,
        JSON,
        SAFE_JSON,
        SCHEMA,
        SAFE_SCHEMA,
        POLL,
        BATCH;

        /** Returns a value that the deserializer of this kind takes. */
        byte[] value() {
            return switch (this) {
                case JSON, SAFE_JSON -> "{\"amount\" : 10}".getBytes(UTF_8);
                case SCHEMA, SAFE_SCHEMA ->
                    ByteBuffer.allocate(9).put((byte) 0).putInt(7).putInt(-10).array();
                case TEXT, POLL, BATCH -> "anna,10.50".getBytes(UTF_8);
            };
        }
    }

    private static final byte[] GARBAGE = {1, (byte) 0xFF, '}', '{'};

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final KafkaProducer<byte @Nullable [], byte @Nullable []> producer =
            new KafkaProducer<>(bench.kafka, new ByteArraySerializer(), new ByteArraySerializer());

    @BeforeAll
    static void start() {
        bench.start(Listeners.class);
    }

    @AfterAll
    static void close() {
        producer.close();
        bench.close();
    }

    record Order(int amount) {}

    /** Stands for Avro: a magic byte, the number of a schema, and bytes that are nothing without it. */
    public static final class SchemaDeserializer implements Deserializer<Order> {
        @Override
        public Order deserialize(String topic, byte[] data) {
            ByteBuffer bytes = ByteBuffer.wrap(data);
            if (bytes.get() != 0 || bytes.getInt() != 7) {
                throw new IllegalArgumentException("Unknown schema");
            }
            return new Order(bytes.getInt());
        }
    }

    private static final String JSON = "org.springframework.kafka.support.serializer.JacksonJsonDeserializer";
    private static final String SAFE = "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer";
    private static final String SCHEMA = "io.idempotency.spring.QuarantinedBytesTest$SchemaDeserializer";
    private static final String TYPE =
            "spring.json.value.default.type=io.idempotency.spring.QuarantinedBytesTest$Order";

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
        }

        private void post(ConsumerRecord<?, ?> record) {
            ledger.post(BenchTopic.header(record, MessageIds.HEADER));
        }

        @KafkaListener(id = "TEXT", groupId = "${topic}-TEXT", topics = "${topic}-TEXT")
        @Idempotent("TEXT")
        void text(ConsumerRecord<String, String> record) {
            post(record);
        }

        @KafkaListener(
                id = "JSON",
                groupId = "${topic}-JSON",
                topics = "${topic}-JSON",
                properties = {"value.deserializer=" + JSON, TYPE})
        @Idempotent("JSON")
        void json(ConsumerRecord<String, Order> record) {
            post(record);
        }

        @KafkaListener(
                id = "SAFE_JSON",
                groupId = "${topic}-SAFE_JSON",
                topics = "${topic}-SAFE_JSON",
                properties = {"value.deserializer=" + SAFE, "spring.deserializer.value.delegate.class=" + JSON, TYPE})
        @Idempotent("SAFE_JSON")
        void safeJson(ConsumerRecord<String, Order> record) {
            post(record);
        }

        @KafkaListener(
                id = "SCHEMA",
                groupId = "${topic}-SCHEMA",
                topics = "${topic}-SCHEMA",
                properties = "value.deserializer=" + SCHEMA)
        @Idempotent("SCHEMA")
        void schema(ConsumerRecord<String, Order> record) {
            post(record);
        }

        @KafkaListener(
                id = "SAFE_SCHEMA",
                groupId = "${topic}-SAFE_SCHEMA",
                topics = "${topic}-SAFE_SCHEMA",
                properties = {"value.deserializer=" + SAFE, "spring.deserializer.value.delegate.class=" + SCHEMA})
        @Idempotent("SAFE_SCHEMA")
        void safeSchema(ConsumerRecord<String, Order> record) {
            post(record);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        void poll(ConsumerRecord<String, String> record) {
            post(record);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        void batch(List<ConsumerRecord<String, String>> records) {
            records.forEach(this::post);
        }
    }

    /** Sends a message whose handler fails. Returns where it stands. */
    private static long poison(Kind kind, String id, byte @Nullable [] value) {
        bench.ledger().fail(id, () -> new IllegalStateException("bad"));
        return send(kind, id, value);
    }

    private static long send(Kind kind, String id, byte @Nullable [] value) {
        ProducerRecord<byte @Nullable [], byte @Nullable []> record =
                new ProducerRecord<>(topics.apply(kind).name, 0, "key-of-it".getBytes(UTF_8), value);
        record.headers()
                .add(MessageIds.HEADER, id.getBytes(UTF_8))
                .add("__TypeId__", Order.class.getName().getBytes(UTF_8))
                .add("binary", GARBAGE)
                .add("none", null);
        try {
            return producer.send(record).get().offset();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Payload kept(Kind kind, String id) {
        return bench.bean(QuarantineStore.class)
                .find(new MessageId(kind.name(), id))
                .map(kept -> kept.message().payload())
                .orElseThrow();
    }

    private static void assertIsWhatStandsInTheTopic(Payload kept, Kind kind, long offset) {
        ConsumerRecord<byte[], byte[]> stands = read(kind, offset);
        assertThat(stands.offset()).isEqualTo(offset);
        assertThat(kept.origin()).isEqualTo(Payload.Origin.REREAD);
        assertThat(kept.key()).isEqualTo(stands.key());
        assertThat(kept.value()).isEqualTo(stands.value());
        assertThat(kept.headers()).hasSize(4);
        int next = 0;
        for (var header : stands.headers()) {
            Payload.Header one = kept.headers().get(next++);
            assertThat(one.name()).isEqualTo(header.key());
            assertThat(one.value()).isEqualTo(header.value());
        }
    }

    /** Returns the first record from that offset on. */
    private static ConsumerRecord<byte[], byte[]> read(Kind kind, long offset) {
        TopicPartition partition = new TopicPartition(topics.apply(kind).name, 0);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(bench.kafka, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            return ListenerBench.await()
                    .until(
                            () -> consumer.poll(java.time.Duration.ofMillis(100)).records(partition).stream()
                                    .findFirst(),
                            Optional::isPresent)
                    .orElseThrow();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-5.10")
    void keepsKeyValueAndHeadersWhateverTheDeserializerIs(Kind kind) {
        send(kind, "good", kind.value());
        long offset = poison(kind, "bad", kind.value());
        send(kind, "behind", kind.value());

        topics.apply(kind).awaitSettled();
        assertIsWhatStandsInTheTopic(kept(kind, "bad"), kind, offset);
    }

    @ParameterizedTest
    @EnumSource(names = {"SAFE_JSON", "SAFE_SCHEMA", "TEXT"})
    @Tag("rule-5.10")
    void keepsGarbage(Kind kind) {
        long offset = poison(kind, "garbage", GARBAGE);

        topics.apply(kind).awaitSettled();
        assertIsWhatStandsInTheTopic(kept(kind, "garbage"), kind, offset);
    }

    @ParameterizedTest
    @EnumSource(names = {"TEXT", "JSON", "SAFE_JSON", "BATCH"})
    @Tag("rule-5.10")
    void keepsTombstones(Kind kind) {
        long offset = poison(kind, "tombstone", null);

        topics.apply(kind).awaitSettled();
        Payload kept = kept(kind, "tombstone");
        assertThat(kept.value()).isNull();
        assertIsWhatStandsInTheTopic(kept, kind, offset);
    }

    @ParameterizedTest
    @EnumSource(names = {"TEXT", "BATCH"})
    @Tag("rule-5.10")
    void keepsAMegabyte(Kind kind) {
        long offset = poison(kind, "large", "x".repeat(1_000_000).getBytes(UTF_8));

        topics.apply(kind).awaitSettled();
        assertIsWhatStandsInTheTopic(kept(kind, "large"), kind, offset);
    }

    @Test
    @Tag("rule-5.10")
    void saysWhyWhereTheTopicWasCompactedMeanwhile(CapturedOutput output) throws Exception {
        BenchTopic topic = topics.apply(Kind.POLL);
        topic.awaitSettled();
        alter(
                topic,
                Map.of(
                        "cleanup.policy", "compact",
                        "segment.ms", "1",
                        "min.cleanable.dirty.ratio", "0.001"));
        AtomicBoolean isCompacted = new AtomicBoolean();
        bench.ledger().then("outdated", () -> {
            ListenerBench.await().untilTrue(isCompacted);
            // Not tried again: it would not come again.
            throw new ClassCastException("bad");
        });
        long offset = send(Kind.POLL, "outdated", Kind.POLL.value());
        ListenerBench.await().until(() -> bench.ledger().callsOf("outdated") == 1);
        ListenerBench.await().until(() -> {
            send(Kind.POLL, "newer", Kind.POLL.value());
            return read(Kind.POLL, offset).offset() > offset;
        });
        isCompacted.set(true);

        topic.awaitSettled();
        Payload kept = kept(Kind.POLL, "outdated");
        assertThat(kept.origin()).isEqualTo(Payload.Origin.POSITION_ONLY);
        assertThat(kept.key()).isNull();
        assertThat(kept.value()).isNull();
        assertThat(kept.headers()).hasSize(4);
        assertThat(output)
                .contains("WARN")
                .containsOnlyOnce(
                        "The record " + topic.name + "-0@" + offset + " cannot be read again for the quarantine")
                .contains("it is gone, as after a compaction");
    }

    private static void alter(BenchTopic topic, Map<String, String> settings) throws Exception {
        Collection<AlterConfigOp> changes = settings.entrySet().stream()
                .map(each ->
                        new AlterConfigOp(new ConfigEntry(each.getKey(), each.getValue()), AlterConfigOp.OpType.SET))
                .toList();
        bench.admin
                .incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic.name), changes))
                .all()
                .get();
    }

    /** Of a record that is gone, there is still what could not be deserialized. */
    @Test
    @Tag("rule-5.10")
    void keepsWhatAnErrorHandlingDeserializerLeftOfARecordThatIsGone() {
        String topic = topics.apply(Kind.TEXT).name;
        Headers headers = new RecordHeaders().add("trace", GARBAGE);
        Object value;
        try (ErrorHandlingDeserializer<Order> safe =
                new ErrorHandlingDeserializer<>(new JacksonJsonDeserializer<>(Order.class))) {
            value = safe.deserialize(topic, headers, GARBAGE);
        }
        ConsumerRecord<Object, Object> record = new ConsumerRecord<>(
                topic,
                0,
                1_000_000,
                0,
                TimestampType.CREATE_TIME,
                3,
                GARBAGE.length,
                "key",
                value,
                headers,
                Optional.empty());

        try (RecordReread reread = RecordReread.of(bench.kafka)) {
            Payload kept = new RecordBytes(reread).payload(record);

            assertThat(kept.origin()).isEqualTo(Payload.Origin.POSITION_ONLY);
            assertThat(kept.value()).isEqualTo(GARBAGE);
            assertThat(kept.headers()).singleElement().satisfies(header -> {
                assertThat(header.name()).isEqualTo("trace");
                assertThat(header.value()).isEqualTo(GARBAGE);
            });
        }
    }
}
