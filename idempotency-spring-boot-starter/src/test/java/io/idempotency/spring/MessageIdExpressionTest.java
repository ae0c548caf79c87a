package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.support.converter.BatchMessagingMessageConverter;
import org.springframework.kafka.support.converter.StringJacksonJsonMessageConverter;

/** What an expression makes of a record is its id, if it can be one. */
class MessageIdExpressionTest {

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic bytes = bench.topic("BYTES");
    private static final BenchTopic numbers = bench.topic("NUMBERS");
    private static final BenchTopic deadLetters = bench.topic("NUMBERS-dlt");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    /** Where the id of an event in JSON is found. */
    enum Kind {
        BEAN,
        PAYLOAD,
        PAYLOADS,
        POINTER,
        POINTER_IN_BYTES,
        PROPERTY
    }

    @BeforeAll
    static void start() {
        bench.with(
                        "idempotency.consumers.by-property.listeners=PROPERTY",
                        "idempotency.consumers.by-property.message-id=/order/event",
                        "idempotency.consumers.by-property.transaction-per=poll")
                .start(Recovery.class, Listeners.class, Converting.class, Events.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BYTES", groupId = "${topic}-BYTES", topics = "${topic}-BYTES")
        @Idempotent(value = "bytes", messageId = "headers.lastHeader('order-id').value()")
        void bytes(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "NUMBERS", groupId = "${topic}-NUMBERS", topics = "${topic}-NUMBERS")
        @Idempotent(value = "numbers", messageId = "T(Double).valueOf(value)")
        void numbers(String value) {
            ledger.post(value);
        }
    }

    record Order(String event, String text) {}

    record Event(Order order) {}

    @Configuration(proxyBeanMethods = false)
    static class Converting {

        @Bean
        EventIds eventIds() {
            return new EventIds();
        }

        @Bean
        ConcurrentKafkaListenerContainerFactory<Object, Object> converting(
                ConcurrentKafkaListenerContainerFactoryConfigurer configurer,
                ConsumerFactory<Object, Object> consumers,
                CommonErrorHandler errors) {
            ConcurrentKafkaListenerContainerFactory<Object, Object> factory =
                    new ConcurrentKafkaListenerContainerFactory<>();
            configurer.configure(factory, consumers);
            factory.setCommonErrorHandler(errors);
            factory.setRecordMessageConverter(new StringJacksonJsonMessageConverter());
            factory.setBatchMessageConverter(
                    new BatchMessagingMessageConverter(new StringJacksonJsonMessageConverter()));
            return factory;
        }
    }

    static class EventIds {
        public String of(ConsumerRecord<?, String> record) {
            return record.value().replaceAll(".*event\":\"([^\"]*)\".*", "$1");
        }
    }

    static class Events {

        private final Effects.Ledger ledger;

        Events(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BEAN", groupId = "${topic}-BEAN", topics = "${topic}-BEAN")
        @Idempotent(value = "by-bean", messageId = "@eventIds.of(#root)")
        void bean(String value) {
            post(value);
        }

        @KafkaListener(
                id = "PAYLOAD",
                groupId = "${topic}-PAYLOAD",
                topics = "${topic}-PAYLOAD",
                containerFactory = "converting")
        @Idempotent(value = "by-payload", messageId = "#payload.order.event")
        void payload(Event event) {
            ledger.post(event.order().text());
        }

        @KafkaListener(
                id = "PAYLOADS",
                groupId = "${topic}-PAYLOADS",
                topics = "${topic}-PAYLOADS",
                containerFactory = "converting",
                batch = "true")
        @Idempotent(value = "by-payloads", messageId = "#payload.order.event")
        void payloads(List<Event> events) {
            events.forEach(this::payload);
        }

        @KafkaListener(id = "POINTER", groupId = "${topic}-POINTER", topics = "${topic}-POINTER")
        @Idempotent(value = "by-pointer", messageId = "/order/event")
        void pointer(String value) {
            post(value);
        }

        @KafkaListener(
                id = "POINTER_IN_BYTES",
                groupId = "${topic}-POINTER_IN_BYTES",
                topics = "${topic}-POINTER_IN_BYTES",
                properties = "value.deserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer")
        @Idempotent(value = "by-pointer-in-bytes", messageId = "/order/event")
        void pointerInBytes(byte[] value) {
            post(new String(value, UTF_8));
        }

        @KafkaListener(id = "PROPERTY", groupId = "${topic}-PROPERTY", topics = "${topic}-PROPERTY")
        void property(String value) {
            post(value);
        }

        private void post(String value) {
            ledger.post(value.replaceAll(".*text\":\"([^\"]*)\".*", "$1"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void findsTheIdOfAnEventInJson(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        for (String text : new String[] {"7 is new", "7 again", "8 is confirmed"}) {
            topic.sendWithoutId(
                    0, "{\"order\":{\"event\":\"" + text.charAt(0) + "\",\"text\":\"" + kind + ":" + text + "\"}}");
        }

        topic.awaitSettled();
        assertThat(bench.effects(kind + ":")).containsExactly(kind + ":7 is new", kind + ":8 is confirmed");
    }

    @Test
    @Tag("rule-2.6")
    void readsTheBytesOfAHeader() throws Exception {
        for (String value : new String[] {"first", "copy"}) {
            ProducerRecord<String, String> record = new ProducerRecord<>(bytes.name, 0, "key", "bytes:" + value);
            record.headers().add("order-id", "\u00e4-7".getBytes(UTF_8));
            bench.producer.send(record).get();
        }

        bytes.awaitSettled();
        assertThat(bench.effects("bytes:")).containsExactly("bytes:first");
        assertThat(bench.bean(ClaimStore.class).find(new MessageId("bytes", "~record:\u00e4-7")))
                .isPresent();
    }

    /** Both are infinite as a double: one id, so that the second one would be skipped as a copy of the first. */
    @ParameterizedTest
    @CsvSource({"1e400, 2e500", "1.0, 1"})
    @Tag("rule-2.6")
    void refusesNumbersThatAreOneNumber(String one, String other) {
        numbers.sendWithoutId(0, one);
        numbers.sendWithoutId(0, other);

        numbers.awaitSettled();
        assertThat(bench.effects(one)).isEmpty();
        assertThat(deadLetters.read())
                .filteredOn(
                        record -> record.value().equals(one) || record.value().equals(other))
                .extracting(MessageIdExpressionTest::reason)
                .hasSize(2)
                .allMatch(reason -> reason.contains("java.lang.Double") && reason.contains("have it sent as text"));
    }

    private static String reason(ConsumerRecord<String, String> record) {
        return BenchTopic.header(record, "kafka_dlt-exception-message");
    }
}
