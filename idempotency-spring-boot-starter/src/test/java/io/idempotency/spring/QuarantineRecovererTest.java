package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.CommonLoggingErrorHandler;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** The container's error handler decides when a message has failed for good, and the recoverer puts it into quarantine. */
@ExtendWith(OutputCaptureExtension.class)
class QuarantineRecovererTest {

    private final ListenerBench bench = new ListenerBench().withoutJpa();
    private final BenchTopic topic = bench.topic("BILLING");

    @AfterEach
    void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Billing {

        private final Effects.Ledger ledger;

        Billing(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Shared {

        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 2));
        }
    }

    @Test
    void keepsAMessageThatFailedForGoodAndSkipsItsCopies() {
        bench.start(Billing.class, Shared.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.send(0, "a", "first");
        topic.send(0, "b", "poison");
        topic.send(0, "c", "third");
        topic.send(0, "b", "poison");
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactly("first", "third");
        assertThat(bench.ledger().calls).filteredOn("poison"::equals).hasSize(3);
        QuarantinedMessage kept = kept("b");
        assertThat(kept.attempts()).isEqualTo(3);
        assertThat(kept.failure().text()).contains("no such account");
        assertThat(kept.delivery().position().offset()).isEqualTo(1);
    }

    private QuarantinedMessage kept(String id) {
        return bench.bean(QuarantineStore.class)
                .find(new MessageId("billing", id))
                .orElseThrow()
                .message();
    }

    @Test
    void keepsAMessageWithoutAnIdWithoutTryingIt() {
        bench.start(Billing.class, Shared.class);
        topic.send(0, " ", "no id");
        topic.send(0, "c", "third");
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactly("third");
        assertThat(bench.ledger().calls).containsExactly("third");
        assertThat(bench.bean(QuarantineStore.class).list("billing", 10))
                .singleElement()
                .satisfies(id -> assertThat(id.value()).matches("~none~" + topic.name + "-0@0~[0-9a-f]{16}"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Polling {

        private final Effects.Ledger ledger;

        Polling(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class InBatches {

        private final Effects.Ledger ledger;

        InBatches(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING", batch = "true")
        @Idempotent("billing")
        void charge(List<String> orders) {
            orders.forEach(ledger::post);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class InJournal {

        private final Effects.Ledger ledger;

        InJournal(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", store = "journal")
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class InMemory {

        private final Effects.Ledger ledger;

        InMemory(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", store = "memory")
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Leased {

        private final Effects.Ledger ledger;

        Leased(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", level = ConsistencyLevel.AT_LEAST_ONCE)
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class AtMostOnce {

        private final Effects.Ledger ledger;

        AtMostOnce(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", level = ConsistencyLevel.AT_MOST_ONCE)
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Measured {

        private final Effects.Ledger ledger;

        Measured(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent(value = "billing", level = ConsistencyLevel.NONE)
        void charge(String order) {
            ledger.post(order);
        }
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                Billing.class,
                Polling.class,
                InBatches.class,
                InJournal.class,
                InMemory.class,
                Leased.class,
                AtMostOnce.class,
                Measured.class
            })
    @Tag("rule-5.11")
    void standsBehindTheContainersOwnRetriesWhereNobodyDefinedAnErrorHandler(Class<?> listener) {
        bench.start(listener);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.whileStopped(() -> {
            topic.send(0, "a", "first");
            topic.send(0, "b", "poison");
            topic.send(0, "c", "third");
        });
        topic.awaitSettled();

        assertThat(bench.effects("first")).hasSize(1);
        assertThat(bench.effects("third")).hasSize(1);
        QuarantinedMessage kept = kept("b");
        int attempts = listener == AtMostOnce.class ? 1 : 10;
        assertThat(bench.ledger().callsOf("poison")).isGreaterThanOrEqualTo(attempts);
        assertThat(kept.attempts()).isEqualTo(attempts);
        assertThat(kept.payload().value()).asString(UTF_8).isEqualTo("poison");
    }

    @Test
    @Tag("rule-5.10")
    void readsAgainOverAConnectionThatIsMadeWhenItIsNeededAndClosedWithTheApplication() throws Exception {
        Set<ObjectName> before = rereads();
        bench.start(Billing.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.send(0, "a", "first");
        topic.awaitSettled();
        assertThat(rereads()).isEqualTo(before);

        topic.send(0, "b", "poison");
        topic.awaitSettled();
        assertThat(rereads()).hasSize(before.size() + 1);

        bench.stop();
        assertThat(rereads()).isEqualTo(before);
    }

    /** Returns the consumers of this process that are in no group. */
    private static Set<ObjectName> rereads() throws JMException {
        return ManagementFactory.getPlatformMBeanServer()
                .queryNames(new ObjectName("kafka.consumer:type=app-info,id=consumer-null-*"), null);
    }

    private static final String JSON =
            "value.deserializer=org.springframework.kafka.support.serializer.JacksonJsonDeserializer";
    private static final String TYPE = "spring.json.value.default.type=java.util.LinkedHashMap";

    @Configuration(proxyBeanMethods = false)
    static class Json {

        private final Effects.Ledger ledger;

        Json(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "BILLING",
                groupId = "${topic}-BILLING",
                topics = "${topic}-BILLING",
                properties = {JSON, TYPE})
        @Idempotent("billing")
        void charge(ConsumerRecord<String, Map<String, String>> order) {
            ledger.post(order.value().getOrDefault("id", ""));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class JsonInBatches {

        private final Effects.Ledger ledger;

        JsonInBatches(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "BILLING",
                groupId = "${topic}-BILLING",
                topics = "${topic}-BILLING",
                batch = "true",
                properties = {JSON, TYPE})
        @Idempotent("billing")
        void charge(List<ConsumerRecord<String, Map<String, String>>> orders) {
            orders.forEach(order -> ledger.post(order.value().getOrDefault("id", "")));
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {Json.class, JsonInBatches.class})
    @Tag("rule-5.13")
    void keepsWhatNobodyCouldDeserializeAndGoesOnBehindIt(Class<?> listener) {
        bench.start(listener);
        keepsWhatNobodyCouldDeserialize();
    }

    @Test
    @Tag("rule-5.13")
    void keepsWhatNobodyCouldDeserializeBehindAnErrorHandlerOfTheUsersToo() {
        bench.start(Json.class, Shared.class);
        keepsWhatNobodyCouldDeserialize();
    }

    /** A listener that is called meets such a store before; a record that nobody could read comes here first. */
    @Test
    @Tag("rule-5.13")
    void waitsIfTheStoreCannotKeepWhatNobodyCouldDeserialize() {
        bench.start(Json.class);
        bench.jdbc().execute("alter table idempotency_message rename to away");
        try {
            topic.send(0, "b", "}{");
            awaitStandStill();
        } finally {
            bench.jdbc().execute("alter table away rename to idempotency_message");
        }
    }

    @Test
    @Tag("rule-5.13")
    void isFoundInTheErrorHandlersThatItIsGivenTo() {
        QuarantineRecoverer quarantine = new QuarantineRecoverer();

        assertThat(QuarantineRecoverer.isIn(new DefaultErrorHandler(quarantine)))
                .isTrue();
        assertThat(QuarantineRecoverer.isIn(new DefaultErrorHandler(quarantine.orElse((record, cause) -> {}))))
                .isTrue();
        assertThat(QuarantineRecoverer.isIn(new DefaultErrorHandler())).isFalse();
        assertThat(QuarantineRecoverer.isIn(new DefaultErrorHandler((record, cause) -> {})))
                .isFalse();
        assertThat(QuarantineRecoverer.isIn(new CommonLoggingErrorHandler())).isFalse();
    }

    private void keepsWhatNobodyCouldDeserialize() {
        topic.whileStopped(() -> {
            topic.send(0, "a", "{\"id\":\"first\"}");
            topic.send(0, "b", "}{");
            topic.send(0, "c", "{\"id\":\"third\"}");
            topic.send(1, "d", "{]");
        });
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactly("first", "third");
        for (String id : List.of("b", "d")) {
            Payload kept = kept(id).payload();
            assertThat(kept.origin()).isEqualTo(Payload.Origin.RAW);
            assertThat(kept.key()).asString(UTF_8).isEqualTo("key");
            assertThat(kept.value()).asString(UTF_8).isEqualTo(id.equals("b") ? "}{" : "{]");
            assertThat(kept.headers())
                    .singleElement()
                    .satisfies(header -> assertThat(header.name()).isEqualTo("message-id"));
            assertThat(kept(id).failure().text()).contains("RecordDeserializationException");
        }
        topic.redeliver();
        topic.awaitSettled();
        assertThat(bench.effects("")).containsExactly("first", "third");
    }

    @Configuration(proxyBeanMethods = false)
    static class Others {

        private final Effects.Ledger ledger;

        Others(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "PLAIN", groupId = "${topic}-PLAIN", topics = "${topic}-PLAIN")
        void one(String order) {
            ledger.post(order);
        }

        @KafkaListener(id = "BATCHES", groupId = "${topic}-BATCHES", topics = "${topic}-BATCHES", batch = "true")
        void several(List<String> orders) {
            orders.forEach(ledger::post);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PLAIN", "BATCHES"})
    @Tag("rule-5.11")
    void skipsPoisonOfAListenerThatIsNotIdempotentAsSpringDoes(String kind, CapturedOutput output) {
        BenchTopic others = bench.topic(kind);
        bench.topic(kind.equals("PLAIN") ? "BATCHES" : "PLAIN");
        bench.start(Billing.class, Others.class, Shared.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        others.send(0, "b", "poison");
        others.awaitSettled();
        others.send(0, "c", "third");
        topic.send(0, "b", "poison");
        others.awaitSettled();
        topic.awaitSettled();

        assertThat(bench.effects("third")).hasSize(1);
        assertThat(bench.ledger().calls).filteredOn("poison"::equals).hasSize(6);
        assertThat(output).containsOnlyOnce(others.name + "-0@0 failed for good and is skipped");
        assertThat(kept("b").delivery().position().stream()).isEqualTo(topic.name);
    }

    @Configuration(proxyBeanMethods = false)
    static class DeadLetters {

        // tag::errors[]
        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine, KafkaTemplate<Object, Object> template) {
            return new DefaultErrorHandler(
                    quarantine.orElse(new DeadLetterPublishingRecoverer(template)), new FixedBackOff(1_000, 4));
        }
        // end::errors[]
    }

    @Test
    @Tag("rule-5.11")
    void handsPoisonOfListenersThatAreNotIdempotentToTheRecovererThatIsGiven() {
        BenchTopic others = bench.topic("PLAIN");
        BenchTopic deadLetters = bench.topic("PLAIN-dlt");
        bench.topic("BATCHES");
        bench.start(Billing.class, Others.class, DeadLetters.class);
        bench.ledger().fail("poison", () -> new ClassCastException("not tried again"));
        others.send(0, "b", "poison");
        topic.send(0, "b", "poison");
        others.awaitSettled();
        topic.awaitSettled();

        assertThat(deadLetters.values()).containsExactly("poison");
        assertThat(kept("b").delivery().position().stream()).isEqualTo(topic.name);
    }

    private List<MessageId> quarantined() {
        return bench.bean(QuarantineStore.class).list("billing", 100);
    }

    private void awaitStandStill() {
        ListenerBench.await().until(() -> topic.container().isPartitionPaused(new TopicPartition(topic.name, 0)));
    }

    @Test
    @Tag("rule-1.6")
    void standsStillInsteadOfDrainingAndGoesOnWhenTheListenerIsMended() throws Exception {
        bench.start(Billing.class);
        String[] values = {"d1", "d2", "d3", "d4", "d5", "d6", "d7"};
        for (String value : values) {
            bench.ledger().fail(value, () -> new IllegalStateException("the other service is down"));
        }

        topic.sendAll(0, values);
        awaitStandStill();

        assertThat(quarantined()).hasSize(5);
        topic.send(1, "other", "other");
        ListenerBench.await().until(() -> bench.effects("other").size() == 1);
        assertThat(topic.committed(0)).isEqualTo(5);
        assertThat(bench.ledger().callsOf("d7")).isZero();
        bench.ledger().then("d6", () -> {});
        bench.ledger().then("d7", () -> {});
        topic.whileStopped(() -> {});
        topic.awaitSettled();
        assertThat(bench.effects("d")).containsExactly("d6", "d7");
    }

    @Test
    @Tag("rule-5.15")
    void standsStillWhereNoMessageHasAnId() throws Exception {
        bench.start(Billing.class);

        for (int i = 0; i < 7; i++) {
            topic.sendWithoutId(0, "without " + i);
        }
        awaitStandStill();

        assertThat(quarantined()).hasSize(5);
        assertThat(topic.committed(0)).isEqualTo(5);
    }

    @Test
    @Tag("rule-5.15")
    void goesOnBehindMessagesWithoutAnIdWhereOthersHaveOne() {
        bench.start(Billing.class);
        topic.send(1, "a", "good");
        topic.awaitSettled();

        for (int i = 0; i < 7; i++) {
            topic.sendWithoutId(0, "without " + i);
        }
        topic.send(0, "b", "behind");
        topic.awaitSettled();

        assertThat(quarantined()).hasSize(7);
        assertThat(bench.effects("")).containsExactly("good", "behind");
    }

    @Test
    @Tag("rule-5.15")
    void standsStillAtTheFirstMessageWhereTheExpressionIsWrong() throws Exception {
        bench.with("idempotency.consumers.billing.message-id=value.orderId").start(Billing.class);

        topic.send(0, "a", "first");
        awaitStandStill();

        assertThat(quarantined()).isEmpty();
        assertThat(topic.committed(0)).isZero();
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .isNotEmpty()
                .allSatisfy(consumption -> assertThat(consumption.failure().orElseThrow())
                        .hasMessageContainingAll("orderId", "a java.lang.String", "JSON take a pointer", "#payload"));
    }

    @Test
    @Tag("rule-5.15")
    void quarantinesThemAllIfThatIsWanted() {
        bench.with("idempotency.consumers.billing.message-id=value.orderId", "idempotency.stand-still-after=0")
                .start(Billing.class);

        topic.sendAll(0, "1", "2", "3", "4", "5", "6", "7");
        topic.awaitSettled();

        assertThat(quarantined()).hasSize(7);
    }
}
