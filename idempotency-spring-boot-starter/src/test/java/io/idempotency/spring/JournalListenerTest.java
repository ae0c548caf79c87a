package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.kafka.TopicIds;
import io.idempotency.store.MessageId;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;

/** What a listener with the journal store does about topics and keys, on a real broker. Its duplicates are in {@link DuplicatesTest}. */
@ExtendWith(OutputCaptureExtension.class)
class JournalListenerTest {

    private static final ListenerBench bench =
            new ListenerBench().withoutJpa().with("idempotency.store=journal", "idempotency.journal.topic-ids=true");
    private static final BenchTopic topic = bench.topic("KEYED");
    private static final BenchTopic growing = bench.topic("GROWING");

    @BeforeAll
    static void start() {
        bench.start(Listeners.class);
    }

    @AfterAll
    static void close() {
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
            return new DefaultErrorHandler(quarantine);
        }

        @KafkaListener(id = "KEYED", groupId = "${topic}-KEYED", topics = "${topic}-KEYED")
        @Idempotent("keyed")
        void keyed(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "GROWING", groupId = "${topic}-GROWING", topics = "${topic}-GROWING")
        @Idempotent("growing")
        void growing(String value) {
            ledger.post(value);
        }
    }

    @Test
    void handsARecordWithoutAKeyToTheRecoverer() throws Exception {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic.name, 0, null, "keyless");
        record.headers().add("message-id", "keyless".getBytes(UTF_8));
        bench.producer.send(record).get();
        topic.send(0, "keyed", "keyed");

        ListenerBench.await().until(() -> !bench.effects("keyed").isEmpty());
        topic.awaitSettled();
        assertThat(bench.effects("keyless")).isEmpty();
        List<MessageId> quarantined = bench.bean(JdbcQuarantine.class).list("keyed", 10);
        assertThat(quarantined).singleElement().asString().contains(topic.name);
    }

    @Test
    void tellsATopicThatIsCreatedAgainByItsId() {
        topic.send(0, "any", "any");
        topic.awaitSettled();

        String id = TopicIds.of(bench.admin).apply(topic.name);
        assertThat(bench.jdbc().queryForList("select name from idempotency_name", String.class))
                .contains(topic.name + "/" + id);
    }

    @Test
    void saysThatATopicHasGrown(CapturedOutput output) throws Exception {
        growing.sendAll(0, "grow:1");
        growing.sendAll(1, "grow:2");
        growing.awaitSettled();

        growing.stop();
        bench.admin
                .createPartitions(Map.of(growing.name, NewPartitions.increaseTo(3)))
                .all()
                .get();
        growing.start();
        ListenerBench.await().ignoreExceptions().until(() -> growing.send(2, "grow:3", "grow:3") >= 0);

        ListenerBench.await().until(() -> !bench.effects("grow:3").isEmpty());
        assertThat(output).contains(growing.name, "had 2 partitions", "has 3 now");
    }
}
