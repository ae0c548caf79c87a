package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Standstills;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryStore;
import io.idempotency.micrometer.MeterNames;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** What somebody who is called at night reads in the log, on a real broker and a real PostgreSQL. */
@ExtendWith(OutputCaptureExtension.class)
class NightTest {

    private final ListenerBench bench = new ListenerBench().withoutJpa();
    private final BenchTopic topic = bench.topic("BILLING");
    private final BenchTopic batch = bench.topic("BATCH");

    @AfterEach
    void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 2));
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("mails")
        void send(List<String> mails) {
            mails.forEach(ledger::post);
        }
    }

    private static List<String> lines(CapturedOutput output, String level, String text) {
        return output.toString()
                .lines()
                .filter(line -> line.contains(" " + level) && line.contains(text))
                .map(line -> line.substring(line.indexOf(" - ") + 3))
                .toList();
    }

    @Test
    @Tag("rule-7.10")
    void tellsOfEachFailedAttemptInOneLineAndOfTheQuarantineWithTheTrace(CapturedOutput output) {
        bench.start(Listeners.class);
        for (BenchTopic each : List.of(topic, batch)) {
            String consumer = each == topic ? "billing" : "mails";
            bench.ledger().fail(each.kind + "poison", () -> new IllegalStateException("no such account"));
            each.whileStopped(() -> each.sendAll(0, each.kind + "first", each.kind + "poison", each.kind + "last"));
            each.awaitSettled();

            String failed = "Consumer " + consumer + " failed at " + each.name + "-0@1, attempt ";
            String why = ": java.lang.IllegalStateException: no such account";
            assertThat(lines(output, "WARN", "Consumer " + consumer))
                    .containsExactly(failed + 1 + why, failed + 2 + why, failed + 3 + why);
            Payload kept = bench.bean(QuarantineStore.class)
                    .find(new MessageId(consumer, each.kind + "poison"))
                    .orElseThrow()
                    .message()
                    .payload();
            assertThat(lines(output, "WARN", "Quarantined " + consumer))
                    .singleElement()
                    .asString()
                    .startsWith("Quarantined " + consumer + "/" + each.kind + "poison at " + each.name
                            + "-0@1 after 3 attempts, in table idempotency_quarantine, ")
                    .contains(
                            kept.origin() == Payload.Origin.POSITION_ONLY ? ", without its bytes" : ", with its bytes",
                            " To look at it: idempotency quarantine show " + consumer + " " + each.kind + "poison");
        }
        assertThat(output.toString().split("Caused by: java.lang.IllegalStateException"))
                .hasSize(3);
    }

    @Test
    @Tag("rule-9.20")
    void bringsAMessageBackAsThePageForTheNightSays() throws Exception {
        bench.with("idempotency.cache.size=100").start(Listeners.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.sendAll(0, "poison", "poison", "last");
        topic.awaitSettled();
        assertThat(bench.effects("poison")).isEmpty();

        bench.ledger().then("poison", () -> {});
        for (String statement : statements("Replay by a statement")) {
            assertThat(bench.jdbc().update(statement)).isEqualTo(1);
        }
        ListenerBench.await().until(() -> bench.effects("poison").size() == 1);

        topic.send(0, "poison", "poison");
        topic.awaitSettled();
        assertThat(bench.effects("poison")).hasSize(1);
        assertThat(bench.bean(QuarantineStore.class).list("billing", 10)).isEmpty();
    }

    /** Returns the statements of the first block of SQL behind a heading of docs/operations.md. */
    private static List<String> statements(String heading) throws IOException {
        String page = Files.readString(Path.of("../docs/operations.md"));
        String behind = page.substring(page.indexOf("**" + heading));
        String block = behind.substring(behind.indexOf("-- any\n") + 7);
        return Stream.of(block.substring(0, block.indexOf("```")).split(";"))
                .map(String::strip)
                .filter(statement -> !statement.isEmpty())
                .toList();
    }

    /** Spring's template would tell at ERROR, with two stack traces, of the rollback that fails, too. */
    @Test
    @Tag("rule-7.3")
    void tellsOfALostConnectionAsOfWhatPasses(CapturedOutput output) {
        bench.start(Listeners.class);
        AtomicInteger calls = new AtomicInteger();
        bench.ledger().then("lost", () -> {
            if (calls.incrementAndGet() == 1) {
                bench.jdbc().queryForList("select pg_terminate_backend(pg_backend_pid())");
            }
        });
        topic.send(0, "lost", "lost");
        topic.awaitSettled();

        assertThat(bench.effects("lost")).hasSize(1);
        assertThat(calls).hasValue(2);
        assertThat(lines(output, "INFO", "Transient failure at billing/lost")).hasSize(1);
        assertThat(output).doesNotContain("ERROR");
    }

    @Test
    @Tag("rule-7.10")
    void tellsOfARecordWithoutAnId(CapturedOutput output) {
        bench.start(Listeners.class);
        topic.sendWithoutId(0, "nameless");
        topic.awaitSettled();

        assertThat(lines(output, "WARN", "Consumer billing failed at"))
                .singleElement()
                .asString()
                .contains(topic.name + "-0@0", "has no message id");
        assertThat(lines(output, "WARN", "Quarantined billing/~none~"))
                .singleElement()
                .asString()
                .contains("after 1 attempt,");
    }

    @Test
    void tellsOfAMissingTableOnceAndInTheWordsOfSpring(CapturedOutput output) {
        bench.start(Listeners.class);
        bench.jdbc().execute("alter table idempotency_message rename to away");
        topic.send(0, "a", "first");
        batch.send(0, "a", "second");
        for (String consumer : List.of("billing", "mails")) {
            ListenerBench.await()
                    .untilAsserted(() -> assertThat(lines(output, "ERROR", "Consumer " + consumer))
                            .isNotEmpty());
            assertThat(lines(output, "ERROR", "Consumer " + consumer))
                    .singleElement()
                    .asString()
                    .startsWith("Consumer " + consumer + " stands still at " + bench.topic)
                    .contains("-0@0: a table is missing", "idempotency.schema.mode", "tried again in 30 s")
                    .containsOnlyOnce("\"idempotency_message\" does not exist")
                    .doesNotContain("Schema.");
        }
        assertThat(output)
                .contains("i.i.s.Idempotent - Consumer billing")
                .doesNotContain("WaitingException", "Caused by");
    }

    @Test
    void tellsOnceWhyElseAStoreCannotBeUsed(CapturedOutput output) {
        for (RuntimeException why : List.of(
                new IllegalStateException("no room"),
                new IdempotencyException("Could not claim: no room", new IllegalStateException("no room")))) {
            IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = KafkaRecords.<Object, Object>consumer("full")
                    .store(MemoryStore.create())
                    .transactions(work -> {
                        throw why;
                    })
                    .build();

            assertThatThrownBy(() -> new PollListener(record -> {}, consumer).onMessage(List.of(withId())))
                    .isInstanceOf(LeftRecordsException.class);

            assertThat(lines(output, "ERROR", "Consumer full"))
                    .last()
                    .isEqualTo("Consumer full stands still at orders-0@7: "
                            + why.getClass().getName() + ": " + why.getMessage()
                            + ". It is tried again in 30 s, and nothing is lost.");
        }
        assertThat(output).doesNotContain("Caused by");
    }

    private static ConsumerRecord<Object, Object> withId() {
        ConsumerRecord<Object, Object> record = new ConsumerRecord<>("orders", 0, 7, "k", "v");
        record.headers().add("message-id", new byte[] {'a'});
        return record;
    }

    @Test
    void theStartSaysNothingOfOurOwnWiringAndHasAllMeters(CapturedOutput output) {
        bench.start(Listeners.class);

        assertThat(output).doesNotContain("not eligible for getting processed by all BeanPostProcessors");
        assertThat(bench.bean(MeterRegistry.class)
                        .get(MeterNames.CONSUMPTIONS)
                        .tags("consumer", "billing", "outcome", "quarantined")
                        .timer()
                        .count())
                .isZero();
    }

    /** Its failures have no end, and its clock is moved by the test. */
    @Configuration(proxyBeanMethods = false)
    static class Stubborn {

        private final AtomicLong nanos = new AtomicLong();

        @Bean
        Standstills watched() {
            return new Standstills(nanos::get, InstantSource.system());
        }

        @Bean
        static DefaultErrorHandler errors() {
            return new DefaultErrorHandler(new FixedBackOff(20, FixedBackOff.UNLIMITED_ATTEMPTS));
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            throw new IllegalStateException("no such account as " + order);
        }
    }

    @Test
    @Tag("rule-7.11")
    void healthForgetsThePartitionThatMovedToAnotherProcess() {
        bench.start(Stubborn.class);
        IdempotencyHealth health = bench.bean(IdempotencyHealth.class);
        topic.send(0, "a", "first");
        ListenerBench.await().untilAsserted(() -> {
            bench.bean(Stubborn.class).nanos.addAndGet(Duration.ofMinutes(2).toNanos());
            assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
        });
        assertThat(health.health().getDetails()).containsOnlyKeys("billing");
        assertThat(health.health().getDetails().toString())
                .contains(topic.name + "-0@0")
                .contains("java.lang.IllegalStateException")
                .doesNotContain("account");

        Map<String, Object> other = new HashMap<>(bench.kafka);
        other.put("group.id", topic.name);
        // The first of the members by name gets the first partition.
        other.put("client.id", "another");
        try (KafkaConsumer<String, String> another =
                new KafkaConsumer<>(other, new StringDeserializer(), new StringDeserializer())) {
            another.subscribe(List.of(topic.name));
            ListenerBench.await().until(() -> {
                another.poll(Duration.ofMillis(50));
                return another.assignment().contains(new TopicPartition(topic.name, 0));
            });

            assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        }
    }
}
