package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import io.idempotency.kafka.DerivedIds;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.MessageId;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.util.backoff.FixedBackOff;

/** What a listener sends through the outbox leaves after its commit, once, with an id that its record determines. */
class OutboxListenerTest {

    enum Kind {
        TEMPLATE,
        BATCH,
        POLL,
        REPLY
    }

    private static final ListenerBench bench = new ListenerBench().with("idempotency.outbox.enabled=true");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> outputs = bench.topics(Kind.class, "-out");

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

        private final KafkaTemplate<Object, Object> template;
        private final Outbox<Object, Object> outbox;
        private final Effects.Ledger ledger;
        private final String topic;
        private final Set<String> seen = ConcurrentHashMap.newKeySet();

        Listeners(
                @Qualifier("outboxTemplate") KafkaTemplate<Object, Object> template,
                Outbox<Object, Object> outbox,
                Effects.Ledger ledger,
                @Value("${topic}") String topic) {
            this.template = template;
            this.outbox = outbox;
            this.ledger = ledger;
            this.topic = topic;
        }

        @Bean
        static DefaultErrorHandler errors() {
            return new DefaultErrorHandler(new FixedBackOff(0, 5));
        }

        @KafkaListener(id = "TEMPLATE", groupId = "${topic}-TEMPLATE", topics = "${topic}-TEMPLATE")
        @Idempotent("TEMPLATE")
        public void template(String value) {
            template.send(topic + "-TEMPLATE-out", "key", value + " out").join();
            post(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        public void poll(String value) {
            outbox.send(topic + "-POLL-out", "key", value + " out");
            post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        public void batch(List<ConsumerRecord<String, String>> records) {
            for (ConsumerRecord<String, String> record : records) {
                outbox.send(
                        new MessageId("BATCH", record.value()),
                        new ProducerRecord<>(topic + "-BATCH-out", "key", record.value() + " out"));
            }
            records.forEach(record -> post(record.value()));
        }

        @KafkaListener(id = "REPLY", groupId = "${topic}-REPLY", topics = "${topic}-REPLY")
        @SendTo("${topic}-REPLY-out")
        @Idempotent("REPLY")
        public String reply(String value) {
            post(value);
            return value + " out";
        }

        /** Fails after everything else, at the first call with a value that asks for it. */
        private void post(String value) {
            ledger.post(value);
            if (value.endsWith("twice") && seen.add(value)) {
                throw new IllegalStateException("as planned");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void leavesOnceForEachRecord(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String once = kind + ":once";
        String twice = kind + ":twice";
        topic.sendAll(0, once, once, twice, once, twice);
        topic.awaitSettled();
        ListenerBench.await().until(() -> bench.bean(OutboxStore.class).total().waiting() == 0);

        List<ConsumerRecord<String, String>> sent = outputs.apply(kind).read();
        assertThat(sent).extracting(ConsumerRecord::value).containsExactlyInAnyOrder(once + " out", twice + " out");
        assertThat(sent)
                .allSatisfy(record -> assertThat(BenchTopic.header(record, "message-id"))
                        .isEqualTo(DerivedIds.of(
                                new MessageId(kind.name(), record.value().replace(" out", "")), 0)));
        assertThat(bench.effects(once)).hasSize(1);
        assertThat(bench.effects(twice)).hasSize(1);
    }
}
