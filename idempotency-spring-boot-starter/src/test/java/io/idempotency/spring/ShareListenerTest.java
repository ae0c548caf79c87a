package io.idempotency.spring;

import static io.idempotency.spring.ListenerBench.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Outcome;
import io.idempotency.replay.Replay;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ShareKafkaListenerContainerFactory;
import org.springframework.kafka.core.DefaultShareConsumerFactory;

/** The listener of a share group, on a real broker and a real PostgreSQL. */
@Tag("rule-14.8")
class ShareListenerTest {

    /** A deserializer that cannot read some values. */
    public static final class Picky extends StringDeserializer {

        @Override
        public String deserialize(String topic, byte[] data) {
            String text = super.deserialize(topic, data);
            if (text.startsWith("garbage")) {
                throw new IllegalArgumentException("Not readable");
            }
            return text;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Sharing {

        @Bean
        static ShareKafkaListenerContainerFactory<String, String> sharing() {
            return factory(Picky.class);
        }

        static ShareKafkaListenerContainerFactory<String, String> factory(Class<?> values) {
            ShareKafkaListenerContainerFactory<String, String> factory =
                    new ShareKafkaListenerContainerFactory<>(new DefaultShareConsumerFactory<>(Map.of(
                            "bootstrap.servers",
                            TestServers.bootstrapServers(),
                            "key.deserializer",
                            StringDeserializer.class,
                            "value.deserializer",
                            values)));
            factory.setConcurrency(3);
            return factory;
        }
    }

    static class Listener {

        private final Effects.Ledger ledger;

        Listener(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "share",
                topics = "${topic}-share",
                groupId = "${topic}-share",
                containerFactory = "sharing")
        @Idempotent("share")
        void handle(ConsumerRecord<String, String> record) {
            ledger.threads.put(
                    record.value(), String.valueOf(record.deliveryCount().orElse((short) 0)));
            ledger.post(record.value());
        }
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic topic = bench.topic("share").shared();

    @BeforeAll
    static void start() {
        bench.start(Sharing.class, Listener.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    private static long count(String id, Outcome outcome) {
        return bench.bean(Effects.Consumptions.class).all.stream()
                .filter(seen -> seen.delivery().id().value().equals(id) && seen.outcome() == outcome)
                .count();
    }

    @Test
    void handlesEachMessageOnceAndSkipsCopiesInAnyPartition() {
        topic.sendAll(0, "once1", "once2", "once1");
        topic.sendAll(1, "once2", "once3");

        await().until(() -> count("once1", Outcome.DUPLICATE) == 1
                && count("once2", Outcome.DUPLICATE) == 1
                && count("once3", Outcome.PROCESSED) == 1);
        assertThat(bench.effects("once")).containsExactlyInAnyOrder("once1", "once2", "once3");
    }

    @Test
    void rollsBackWhatFailsAndTriesAgain() {
        bench.ledger().fail("ill", 2, () -> new IllegalStateException("Fails twice"));

        topic.sendAll(0, "ill");

        await().until(() -> count("ill", Outcome.PROCESSED) == 1);
        assertThat(bench.effects("ill")).containsExactly("ill");
        assertThat(bench.ledger().callsOf("ill")).isEqualTo(3);
        assertThat(bench.ledger().threads).as("in one delivery").containsEntry("ill", "1");
    }

    @Test
    void aCommitThatFailsIsNotAccepted() {
        bench.ledger().refuseFirstCommitOf("refused");

        topic.sendAll(0, "refused");

        await().until(() -> count("refused", Outcome.PROCESSED) == 1);
        assertThat(bench.effects("refused")).containsExactly("refused");
    }

    @Test
    void aSlowRecordIsRenewedAndHoldsNoOtherBack() {
        CountDownLatch open = bench.ledger().hold("slow");
        topic.sendAll(0, "slow", "beside1");
        await().until(() ->
                bench.effects("beside").size() == 1 && bench.ledger().callsOf("slow") == 1);

        topic.sendAll(1, "beside2");
        await().until(() -> bench.effects("beside").size() == 2);
        long start = System.nanoTime();
        await().until(() -> System.nanoTime() - start > 5_000_000_000L);
        open.countDown();

        await().until(() -> count("slow", Outcome.PROCESSED) == 1);
        assertThat(bench.ledger().callsOf("slow")).isEqualTo(1);
        assertThat(bench.effects("slow")).containsExactly("slow");
    }

    @Test
    void whatCannotBeReadIsQuarantinedWithItsBytes() {
        topic.sendAll(0, "garbage");

        await().until(() -> count("garbage", Outcome.RELEASED) > 0);
        QuarantineStore quarantine = bench.bean(QuarantineStore.class);
        await().atMost(java.time.Duration.ofMinutes(2))
                .until(() -> quarantine.find(new MessageId("share", "garbage")).isPresent());
        QuarantineEntry entry =
                quarantine.find(new MessageId("share", "garbage")).orElseThrow();
        assertThat(entry.message().payload().value()).isEqualTo("garbage".getBytes(UTF_8));
    }

    @Test
    void isReplayed() {
        Replay replay = bench.replay("share", topic, "again");

        assertThat(replay.progress().processed()).isEqualTo(1);
        assertThat(bench.effects("again")).containsExactly("again");
        topic.sendAll(1, "again");
        await().until(() -> count("again", Outcome.DUPLICATE) == 1);
    }

    @Test
    void goesOnAfterAStopOfItsContainer() {
        CountDownLatch open = bench.ledger().hold("stopping");
        topic.sendAll(0, "stopping");
        await().until(() -> bench.ledger().callsOf("stopping") == 1);
        Thread stopping = new Thread(topic::stop);
        stopping.start();
        await().until(() -> !topic.container().isRunning());
        open.countDown();
        await().until(() -> !stopping.isAlive());

        topic.start();
        topic.sendAll(0, "stopping2");

        await().until(() -> bench.effects("stopping").size() == 2);
        assertThat(bench.effects("stopping")).containsExactlyInAnyOrder("stopping", "stopping2");
        assertThat(bench.ledger().callsOf("stopping")).isEqualTo(1);
    }
}
