package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Operations;
import io.idempotency.TransactionPer;
import io.idempotency.store.MessageId;
import io.idempotency.store.OffsetStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.ConsumerSeekAware;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.Acknowledgment;

/** Listeners that start from the store: offsets set ahead, forgotten messages, topics created again, failures, and a store that is away. */
@ExtendWith(OutputCaptureExtension.class)
class StartFromStoreListenerTest {

    enum Kind {
        GAP_TABLE,
        GAP_JOURNAL,
        AGAIN_EARLIEST,
        AGAIN_LATEST,
        FORGOTTEN_TABLE,
        FORGOTTEN_JOURNAL,
        BESIDE,
        AWAY_EARLIEST,
        AWAY_LATEST,
        AWAY_NONE,
        AWAY_CONSUMER_PROTOCOL,
        AHEAD_NONE,
        PAUSED,
        BEHIND,
        NONE,
        FAILING,
        FAILING_POLL,
        FAILING_BATCH,
        NACKED,
        SOUGHT,
        UNREADABLE;

        String consumer() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with(EnumSet.allOf(Kind.class).stream()
                    .map(kind -> "idempotency.consumers." + kind.consumer() + ".start-from=store")
                    .toArray(String[]::new));
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Listeners.class, Seeking.class);
    }

    @AfterEach
    void stop() {
        bench.bean(KafkaListenerEndpointRegistry.class).getListenerContainers().forEach(MessageListenerContainer::stop);
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

        @KafkaListener(
                id = "GAP_TABLE",
                groupId = "${topic}-GAP_TABLE",
                topics = "${topic}-GAP_TABLE",
                autoStartup = "false",
                properties = "auto.offset.reset=earliest")
        @Idempotent("gap-table")
        void gapTable(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "GAP_JOURNAL",
                groupId = "${topic}-GAP_JOURNAL",
                topics = "${topic}-GAP_JOURNAL",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "gap-journal", store = "journal")
        void gapJournal(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AGAIN_EARLIEST",
                groupId = "${topic}-AGAIN_EARLIEST",
                topics = "${topic}-AGAIN_EARLIEST",
                autoStartup = "false",
                properties = "auto.offset.reset=earliest")
        @Idempotent("again-earliest")
        void againEarliest(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AGAIN_LATEST",
                groupId = "${topic}-AGAIN_LATEST",
                topics = "${topic}-AGAIN_LATEST",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("again-latest")
        void againLatest(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FORGOTTEN_TABLE",
                groupId = "${topic}-FORGOTTEN_TABLE",
                topics = "${topic}-FORGOTTEN_TABLE",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("forgotten-table")
        void forgottenTable(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FORGOTTEN_JOURNAL",
                groupId = "${topic}-FORGOTTEN_JOURNAL",
                topics = "${topic}-FORGOTTEN_JOURNAL",
                autoStartup = "false",
                properties = "auto.offset.reset=earliest")
        @Idempotent(value = "forgotten-journal", store = "journal")
        void forgottenJournal(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "BESIDE",
                groupId = "${topic}-BESIDE",
                topics = "${topic}-BESIDE",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("beside")
        void beside(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AWAY_EARLIEST",
                groupId = "${topic}-AWAY_EARLIEST",
                topics = "${topic}-AWAY_EARLIEST",
                autoStartup = "false",
                properties = "auto.offset.reset=earliest")
        @Idempotent("away-earliest")
        void awayEarliest(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AWAY_LATEST",
                groupId = "${topic}-AWAY_LATEST",
                topics = "${topic}-AWAY_LATEST",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("away-latest")
        void awayLatest(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AWAY_NONE",
                groupId = "${topic}-AWAY_NONE",
                topics = "${topic}-AWAY_NONE",
                autoStartup = "false",
                properties = "auto.offset.reset=none")
        @Idempotent("away-none")
        void awayNone(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AWAY_CONSUMER_PROTOCOL",
                groupId = "${topic}-AWAY_CONSUMER_PROTOCOL",
                topics = "${topic}-AWAY_CONSUMER_PROTOCOL",
                autoStartup = "false",
                properties = {"auto.offset.reset=latest", "group.protocol=consumer"})
        @Idempotent("away-consumer-protocol")
        void awayConsumerProtocol(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AHEAD_NONE",
                groupId = "${topic}-AHEAD_NONE",
                topics = "${topic}-AHEAD_NONE",
                autoStartup = "false",
                properties = "auto.offset.reset=none")
        @Idempotent("ahead-none")
        void aheadNone(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "PAUSED",
                groupId = "${topic}-PAUSED",
                topics = "${topic}-PAUSED",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("paused")
        void paused(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "BEHIND",
                groupId = "${topic}-BEHIND",
                topics = "${topic}-BEHIND",
                autoStartup = "false",
                properties = "auto.offset.reset=earliest")
        @Idempotent("behind")
        void behind(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "NONE",
                groupId = "${topic}-NONE",
                topics = "${topic}-NONE",
                autoStartup = "false",
                properties = "auto.offset.reset=none")
        @Idempotent("none")
        void none(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FAILING",
                groupId = "${topic}-FAILING",
                topics = "${topic}-FAILING",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("failing")
        void failing(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FAILING_POLL",
                groupId = "${topic}-FAILING_POLL",
                topics = "${topic}-FAILING_POLL",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "failing-poll", transactionPer = TransactionPer.POLL)
        void failingPoll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "FAILING_BATCH",
                groupId = "${topic}-FAILING_BATCH",
                topics = "${topic}-FAILING_BATCH",
                autoStartup = "false",
                batch = "true",
                properties = "auto.offset.reset=latest")
        @Idempotent("failing-batch")
        void failingBatch(List<ConsumerRecord<String, String>> records) {
            records.forEach(record -> {
                try {
                    ledger.post(record.value());
                } catch (IllegalStateException e) {
                    throw new BatchListenerFailedException("as planned", e, record);
                }
            });
        }

        @KafkaListener(
                id = "NACKED",
                groupId = "${topic}-NACKED",
                topics = "${topic}-NACKED",
                autoStartup = "false",
                ackMode = "MANUAL",
                properties = "auto.offset.reset=latest")
        @Idempotent("nacked")
        void nacked(String value, Acknowledgment ack) {
            ledger.post(value);
            if (ledger.callsOf(value) == 1) {
                ack.nack(Duration.ofMillis(10));
            } else {
                ack.acknowledge();
            }
        }

        @KafkaListener(
                id = "UNREADABLE",
                groupId = "${topic}-UNREADABLE",
                topics = "${topic}-UNREADABLE",
                autoStartup = "false",
                properties = {
                    "auto.offset.reset=earliest",
                    "value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer"
                })
        @Idempotent("unreadable")
        void unreadable(Integer value) {
            ledger.post(new String(ByteBuffer.allocate(4).putInt(value).array(), StandardCharsets.UTF_8));
        }
    }

    /** Seeks where a test wants it to, when partitions are assigned. */
    static class Seeking implements ConsumerSeekAware {

        private final Effects.Ledger ledger;
        volatile Function<TopicPartition, Long> to = partition -> null;

        Seeking(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Override
        public void onPartitionsAssigned(Map<TopicPartition, Long> assignments, ConsumerSeekCallback callback) {
            assignments.keySet().forEach(partition -> {
                Long offset = to.apply(partition);
                if (offset != null && offset < 0) {
                    callback.seekToEnd(partition.topic(), partition.partition());
                } else if (offset != null) {
                    callback.seek(partition.topic(), partition.partition(), offset);
                }
            });
        }

        @KafkaListener(
                id = "SOUGHT",
                groupId = "${topic}-SOUGHT",
                topics = "${topic}-SOUGHT",
                autoStartup = "false",
                properties = "auto.offset.reset=latest")
        @Idempotent("sought")
        void sought(String value) {
            ledger.post(value);
        }
    }

    /** Has two messages settled, one in each partition, and stops. */
    private static BenchTopic settled(Kind kind, String value) {
        BenchTopic topic = topics.apply(kind);
        topic.setOffsets(0, 0);
        topic.start();
        topic.sendAll(0, value + 1);
        topic.sendAll(1, value + 2);
        topic.awaitSettled();
        topic.stop();
        return topic;
    }

    private static void sendTwo(BenchTopic topic, String value, int number) {
        topic.sendAll(0, value + number);
        topic.sendAll(1, value + (number + 1));
    }

    private static void assertDelivered(Kind kind, int times) {
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .filteredOn(each -> each.delivery().id().consumer().equals(kind.consumer()))
                .hasSize(times);
    }

    /** Who sets offsets ahead has records skipped. They are not counted as settled: set back, they are handled. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "GAP_.*")
    @Tag("rule-16.2")
    void neverGoesPastAGap(Kind kind) {
        String value = kind + ":";
        BenchTopic topic = settled(kind, value);
        sendTwo(topic, value, 3);
        topic.setOffsets(2, 2);
        topic.start();
        sendTwo(topic, value, 5);
        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 5, value + 6);

        topic.stop();
        topic.setOffsets(1, 1);
        topic.start();

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(6).contains(value + 3, value + 4);
    }

    @Test
    @Tag("rule-16.8")
    void beginsANewRunWhereTheListenerSeeksAhead() {
        String value = "SOUGHT:";
        BenchTopic topic = settled(Kind.SOUGHT, value);
        sendTwo(topic, value, 3);
        bench.bean(Seeking.class).to = partition -> partition.partition() == 0 ? 2L : -1L;
        topic.start();
        topic.awaitAssigned();
        sendTwo(topic, value, 5);
        topic.awaitSettled();
        topic.stop();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 5, value + 6);
        assertThat(bench.bean(OffsetStore.class).runs("sought")).hasSize(2).allSatisfy(run -> {
            assertThat(run.begin()).isEqualTo(2);
            assertThat(run.end()).isEqualTo(3);
        });

        bench.bean(Seeking.class).to = partition -> null;
        topic.setOffsets(1, 1);
        topic.start();

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(6).contains(value + 3, value + 4);
    }

    /** A journal refuses such a topic (rule 4.5). */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "AGAIN_.*")
    @Tag("rule-16.3")
    void beginsATopicThatWasCreatedAgainAtItsBeginning(Kind kind) {
        String value = kind + ":";
        BenchTopic topic = settled(kind, value);
        topic.deleteGroup();
        topic.createAgain();
        sendTwo(topic, value, 3);

        topic.start();

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(4);
        assertDelivered(kind, 4);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "FORGOTTEN_.*")
    @Tag("rule-16.4")
    void aForgottenMessageIsHandledAgainWhenTheOffsetsAreSetBack(Kind kind) {
        String value = kind + ":";
        BenchTopic topic = settled(kind, value);
        forget(kind, value + 1);

        topic.setOffsets(0, 0);
        topic.start();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 1);
    }

    @Test
    @Tag("rule-16.4")
    void aMessageThatIsForgottenBesideTheListenerIsHandledAgainWhenTheOffsetsAreSetBack() {
        String value = "BESIDE:";
        BenchTopic topic = settled(Kind.BESIDE, value);
        topic.start();
        topic.awaitAssigned();
        forget(Kind.BESIDE, value + 1);
        sendTwo(topic, value, 3);
        topic.awaitSettled();
        ListenerBench.await()
                .until(() -> bench.bean(OffsetStore.class).runs("beside").size() == 2);

        topic.redeliver();

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(5);
        assertThat(bench.effects(value + 1)).hasSize(2);
    }

    private static void forget(Kind kind, String id) {
        assertThat(bench.bean(Operations.class)
                        .forget(new MessageId(kind.consumer(), id), "to be handled again")
                        .messages())
                .isEqualTo(1);
    }

    /** To begin anywhere else could skip what nobody has handled: here, what came since. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "AWAY_.*")
    @Tag("rule-16.6")
    void waitsWhileTheStoreCannotBeRead(Kind kind, CapturedOutput log) throws Exception {
        String value = kind + ":";
        BenchTopic topic = settled(kind, value);
        topic.deleteGroup();
        sendTwo(topic, value, 3);
        whileAway(() -> {
            topic.start();
            awaitTries(kind, log);
            assertThat(topic.committedTexts()).isEmpty();
        });

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(4);
        assertDelivered(kind, 4);
    }

    /** The position that a waiting partition has meanwhile does not count. */
    @Test
    @Tag("rule-16.6")
    void beginsAtTheCommittedOffsetWhenTheStoreIsBack(CapturedOutput log) throws Exception {
        String value = "AHEAD_NONE:";
        BenchTopic topic = settled(Kind.AHEAD_NONE, value);
        sendTwo(topic, value, 3);
        topic.setOffsets(2, 2);
        whileAway(() -> {
            topic.start();
            awaitTries(Kind.AHEAD_NONE, log);
        });
        sendTwo(topic, value, 5);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 5, value + 6);
    }

    @Test
    @Tag("rule-16.6")
    void aContainerThatIsPausedMeanwhileStaysPaused(CapturedOutput log) throws Exception {
        String value = "PAUSED:";
        BenchTopic topic = settled(Kind.PAUSED, value);
        topic.setOffsets(0, 0);
        sendTwo(topic, value, 3);
        whileAway(() -> {
            topic.start();
            awaitTries(Kind.PAUSED, log);
            topic.container().pause();
            ListenerBench.await().until(() -> topic.container().isContainerPaused());
            topic.container().resume();
            ListenerBench.await().until(() -> !topic.container().isContainerPaused());
            topic.container().pause();
            ListenerBench.await().until(() -> topic.container().isContainerPaused());
        });
        ListenerBench.await().until(() -> log.getOut().contains("Consumer paused: " + topic.name + "-0 begins at 1"));

        ListenerBench.await()
                .during(Duration.ofMillis(500))
                .until(() -> bench.effects(value).size() == 2);
        topic.container().resume();

        topic.awaitSettled();
        assertThat(bench.effects(value)).hasSize(4);
        assertDelivered(Kind.PAUSED, 4);
    }

    /** It commits offsets that it cannot store, and ends. They have the mark of their run, so there is no gap. */
    @Test
    @Tag("rule-16.5")
    void whatWasCommittedBehindTheStoredRunBelongsToIt() throws Exception {
        String value = "BEHIND:";
        BenchTopic topic = settled(Kind.BEHIND, value);
        topic.start();
        topic.awaitAssigned();
        whileAway(() -> {
            sendTwo(topic, value, 3);
            topic.awaitSettled();
            topic.stop();
        });
        assertThat(bench.bean(OffsetStore.class).runs("behind"))
                .hasSize(2)
                .allMatch(run -> run.begin() == 0 && run.end() == 1);
        topic.start();
        topic.awaitAssigned();
        topic.stop();

        assertThat(bench.bean(OffsetStore.class).runs("behind"))
                .hasSize(2)
                .allMatch(run -> run.begin() == 0 && run.end() == 2);
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void whileAway(Action action) throws Exception {
        bench.jdbc().execute("alter table idempotency_settled rename to away");
        try {
            action.run();
        } finally {
            bench.jdbc().execute("alter table away rename to idempotency_settled");
        }
    }

    /** Waits for the second try, so that there was a poll before it. */
    private static void awaitTries(Kind kind, CapturedOutput log) {
        String line = "Consumer " + kind.consumer() + ": it is not known which offsets";
        ListenerBench.await().until(() -> log.getOut().split(line, -1).length > 2);
    }

    @Test
    void endsWithoutAnyOffsetIfThatIsAsked(CapturedOutput log) {
        BenchTopic topic = topics.apply(Kind.NONE);
        topic.sendAll(0, "NONE:1");

        topic.start();

        ListenerBench.await().until(() -> !topic.container().isRunning());
        assertThat(log.getOut()).contains("No offset and no reset policy");
    }

    /** What failed for good is settled: it is in quarantine. What was sought back in between is no gap. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "FAILING.*")
    @Tag("rule-16.2")
    void failuresLeaveNoGap(Kind kind) {
        String value = kind + ":";
        BenchTopic topic = settled(kind, value);
        bench.ledger().fail(value + "bad", () -> new IllegalStateException("as planned"));
        topic.sendAll(0, value + 3, value + "bad", value + 4);
        topic.sendAll(1, value + 5);
        topic.start();
        topic.awaitSettled();
        topic.stop();

        assertThat(bench.effects(value)).hasSize(5);
        assertIsOneRun(kind, 4, 2);
    }

    @Test
    @Tag("rule-16.2")
    void nacksLeaveNoGap() {
        String value = "NACKED:";
        BenchTopic topic = settled(Kind.NACKED, value);
        topic.sendAll(0, value + 3, value + 4);
        topic.start();
        topic.awaitSettled();
        topic.stop();

        assertThat(bench.effects(value)).hasSize(4);
        assertIsOneRun(Kind.NACKED, 3, 1);
    }

    @Test
    @Tag("rule-16.2")
    void aRecordThatCannotBeDeserializedLeavesNoGap() {
        BenchTopic topic = topics.apply(Kind.UNREADABLE);
        topic.start();
        topic.awaitAssigned();
        topic.sendAll(0, "UR-1", "too long", "UR-2");
        topic.awaitSettled();
        topic.stop();

        assertThat(bench.effects("UR-")).containsExactly("UR-1", "UR-2");
        assertIsOneRun(Kind.UNREADABLE, 3, 0);
    }

    private static void assertIsOneRun(Kind kind, long... ends) {
        assertThat(bench.bean(OffsetStore.class).runs(kind.consumer()))
                .hasSize(2)
                .allSatisfy(run -> {
                    assertThat(run.begin()).isZero();
                    assertThat(run.end()).isEqualTo(ends[run.partition()]);
                });
    }
}
