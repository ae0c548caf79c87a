package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.DltHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;

/** A listener with retry topics and a dead-letter topic. */
@ExtendWith(OutputCaptureExtension.class)
class RetryableTopicTest {

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic topic = bench.topic("MAIN");
    private static final BenchTopic retries = bench.topic("MAIN-retry");
    private static final BenchTopic deadLetters = bench.topic("MAIN-dlt");

    @BeforeAll
    static void start() {
        bench.start(Orders.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Orders {

        private final List<String> dead = new CopyOnWriteArrayList<>();
        private final Map<String, String> groups = new ConcurrentHashMap<>();
        private final Effects.Ledger ledger;

        Orders(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "MAIN", groupId = "${topic}-MAIN", topics = "${topic}-MAIN")
        @RetryableTopic(attempts = "3", backOff = @BackOff(10), autoCreateTopics = "false")
        @Idempotent("orders")
        void order(String value, @Header(KafkaHeaders.GROUP_ID) String group) {
            groups.put(value, group);
            ledger.post(value);
        }

        @DltHandler
        void dead(String value) {
            dead.add(value);
        }
    }

    private static List<String> dead(String prefix) {
        return bench.bean(Orders.class).dead.stream()
                .filter(value -> value.startsWith(prefix))
                .toList();
    }

    private static void awaitSettled() {
        topic.awaitSettled();
        retries.awaitSettled();
        deadLetters.awaitSettled();
    }

    @Test
    void triesAFailedMessageOnItsRetryTopicsAndThenHandsItToTheDeadLetters(CapturedOutput output) {
        bench.ledger().fail("bad:2", () -> new IllegalStateException("bad"));

        topic.sendAll(0, "bad:1", "bad:2", "bad:3");

        ListenerBench.await().until(() -> !dead("bad:").isEmpty());
        awaitSettled();
        assertThat(bench.effects("bad:")).containsExactlyInAnyOrder("bad:1", "bad:3");
        assertThat(bench.ledger().callsOf("bad:2")).isEqualTo(3);
        assertThat(dead("bad:")).containsExactly("bad:2");
        assertThat(output.getOut().lines().filter(line -> line.contains("Consumer orders failed at")))
                .filteredOn(line -> line.contains("IllegalStateException: bad"))
                .hasSize(3)
                .allMatch(line -> line.contains(": java.lang.IllegalStateException: bad"))
                .noneMatch(line -> line.contains("TimestampedException"));
    }

    @Test
    @Tag("rule-9.28")
    void replaysAMessageByTheContainerOfItsTopic() {
        bench.replay("orders", topic, "of-main");
        bench.replay("orders", retries, "of-retry");
        bench.ledger().fail("again", () -> new IllegalStateException("again"));

        assertThat(bench.replay("orders", retries, "again").progress().failed()).isEqualTo(1);

        assertThat(bench.bean(Orders.class).groups)
                .containsEntry("of-main", topic.name)
                .containsEntry("of-retry", topic.name + "-retry");
        assertThat(bench.ledger().callsOf("again")).isEqualTo(1);
        assertThat(bench.bean(QuarantineStore.class).list("orders", 10)).hasSize(1);
        assertThat(dead("again")).isEmpty();
    }

    @Test
    void remembersUnderOneNameWhatWasProcessedOnAnyOfItsTopics() {
        bench.ledger().fail("late", 1, () -> new IllegalStateException("late"));
        topic.send(0, "late", "late");
        ListenerBench.await().until(() -> bench.effects("late").size() == 1);

        topic.send(1, "late", "late");
        retries.send(0, "late", "late");

        awaitSettled();
        assertThat(bench.ledger().callsOf("late")).isEqualTo(2);
        assertThat(bench.effects("late")).containsExactly("late");
    }

    @Test
    void letsADeadLetterComeAgainToItsHandlerAndToTheListener() {
        bench.ledger().fail("replay", 3, () -> new IllegalStateException("replay"));
        topic.send(0, "replay", "replay");
        ListenerBench.await().until(() -> dead("replay").size() == 1);

        deadLetters.send(0, "replay", "replay");
        ListenerBench.await().until(() -> dead("replay").size() == 2);
        topic.send(0, "replay", "replay");

        awaitSettled();
        assertThat(bench.effects("replay")).containsExactly("replay");
    }

    @Test
    void triesAgainOnTheSameTopicAfterATransientFailure() {
        bench.ledger().fail("locked:1", 3, () -> new TransientStoreException("locked"));

        topic.sendAll(0, "locked:1", "locked:2");

        awaitSettled();
        assertThat(bench.effects("locked:")).containsExactly("locked:1", "locked:2");
        assertThat(bench.ledger().callsOf("locked:1")).isEqualTo(4);
        assertThat(retries.values()).doesNotContain("locked:1");
    }

    @Test
    void handsAMessageWithoutAnIdToTheDeadLettersAtOnce() {
        topic.sendWithoutId(0, "nameless");

        ListenerBench.await().until(() -> !dead("nameless").isEmpty());
        awaitSettled();
        assertThat(dead("nameless")).containsExactly("nameless");
        assertThat(retries.values()).doesNotContain("nameless");
        assertThat(bench.effects("nameless")).isEmpty();
    }
}
