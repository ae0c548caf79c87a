package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.kafka.ConsumerFromStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.PollLoop;
import io.idempotency.store.SettledRun;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import kafka.server.BrokerServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.test.KafkaClusterTestKit;
import org.apache.kafka.common.test.TestKitNodes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An unclean election: a broker becomes leader without the last records, and gives their offsets to other ones. */
@ExtendWith(LongOutage.class)
class CutLogTest {

    private final String consumer = Ledger.anyConsumer();
    private final Ledger ledger = Ledger.open(consumer, Postgres.shared().url(), 6);
    private KafkaClusterTestKit cluster;
    private int leader;
    private Admin admin;

    @BeforeEach
    void start() throws Exception {
        cluster = new KafkaClusterTestKit.Builder(new TestKitNodes.Builder()
                        .setNumBrokerNodes(3)
                        .setNumControllerNodes(1)
                        .build())
                .setConfigProp("offsets.topic.num.partitions", "1")
                .setConfigProp("offsets.topic.replication.factor", "3")
                .setConfigProp("offsets.topic.min.isr", "1")
                .setConfigProp("group.initial.rebalance.delay.ms", "0")
                .setConfigProp("replica.lag.time.max.ms", "2000")
                .setConfigProp("unclean.leader.election.enable", "true")
                .setConfigProp("unclean.leader.election.interval.ms", "500")
                .setConfigProp("auto.create.topics.enable", "false")
                .build();
        cluster.format();
        cluster.startup();
        cluster.waitForReadyBrokers();
        admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()));
        admin.createTopics(List.of(new NewTopic("orders", Map.of(0, List.of(0, 1)))))
                .all()
                .get();
    }

    @AfterEach
    void stop() throws Exception {
        admin.close();
        cluster.close();
        ledger.close();
    }

    private TopicPartitionInfo partition() throws Exception {
        return Objects.requireNonNull(admin.describeTopics(List.of("orders"))
                        .allTopicNames()
                        .get()
                        .get("orders"))
                .partitions()
                .get(0);
    }

    private boolean isLedBy(int broker) throws Exception {
        Node leader = partition().leader();
        return leader != null && leader.id() == broker;
    }

    private BrokerServer broker(int id) {
        return Objects.requireNonNull(cluster.brokers().get(id));
    }

    private void send(String idBegins, int count) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", cluster.bootstrapServers(), "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; i < count; i++) {
                String id = idBegins + "-" + i;
                ProducerRecord<String, String> message = new ProducerRecord<>("orders", 0, "key", id);
                message.headers().add(MessageIds.HEADER, id.getBytes(StandardCharsets.UTF_8));
                producer.send(message).get();
            }
        }
    }

    private List<String> ids() {
        List<String> ids = new ArrayList<>();
        Postgres.shared().effects(consumer).forEach(effect -> ids.add(effect.id()));
        return ids;
    }

    private Optional<SettledRun> run() {
        return JdbcOffsets.on(ledger.pool()).runs(consumer).stream().findAny();
    }

    private boolean isSettledTo(long end) {
        return run().filter(run -> run.end() == end).isPresent();
    }

    /** Ten messages that both replicas have, and twenty that only one has. Returns the other one. */
    private int sendSomeToOneOnly() throws Exception {
        eventually().until(() -> partition().isr().size() == 2);
        leader = partition().leader().id();
        int other = 1 - leader;
        send("both", 10);
        broker(other).shutdown();
        eventually().until(() -> partition().isr().size() == 1);
        send("one", 20);
        return other;
    }

    /** Lets the other one lead, without those twenty. */
    private void elect(int other) throws Exception {
        broker(leader).shutdown();
        broker(other).startup();
        eventually().until(() -> isLedBy(other));
    }

    @Test
    @Tag("rule-16.9")
    void aRunningConsumerHandlesWhatTakesThePlaceOfRecordsThatAreCutOff() throws Exception {
        try (Running loop = new Running("billing", false)) {
            loop.start();
            int other = sendSomeToOneOnly();
            eventually().until(() -> isSettledTo(30));
            elect(other);
            send("other", 5);
            eventually().until(() -> ids().contains("other-4"));
        }
        send("late", 25);
        try (Running loop = new Running("billing", false)) {
            loop.start();
            eventually().until(() -> ids().contains("late-24"));
        }
        assertThat(ids()).hasSize(60).doesNotHaveDuplicates();
    }

    /** A container commits without leader epochs. */
    @ParameterizedTest
    @CsvSource({"billing, false", "another, false", "billing, true"})
    @Tag("rule-16.9")
    void aConsumerThatWasStoppedHandlesWhatHasTakenThePlaceOfRecordsThatWereCutOff(String group, boolean isContainer)
            throws Exception {
        int other = sendSomeToOneOnly();
        try (Running loop = new Running("billing", isContainer)) {
            loop.start();
            eventually().until(() -> isSettledTo(30));
        }
        elect(other);
        send("other", 25);
        if (isContainer) {
            pollAndDie(group);
        }
        try (Running loop = new Running(group, isContainer)) {
            loop.start();
            eventually().until(() -> ids().contains("other-24"));
        }
        assertThat(ids()).hasSize(55).doesNotHaveDuplicates();
        assertThat(run().map(SettledRun::begin)).hasValue(10L);
        assertThat(run().map(SettledRun::end)).hasValue(35L);
    }

    /** Commits nothing of what it polls, but the row is written. */
    private void pollAndDie(String group) {
        Map<String, Object> properties = properties(group);
        try (Consumer<String, String> kafka = ConsumerFromStore.of(
                new KafkaConsumer<>(properties), consumer, JdbcOffsets.on(ledger.pool()), properties)) {
            kafka.subscribe(List.of("orders"));
            eventually().until(() -> !kafka.poll(Duration.ofMillis(100)).isEmpty());
        }
    }

    private Map<String, Object> properties(String group) {
        return Map.of(
                "bootstrap.servers",
                cluster.bootstrapServers(),
                "group.id",
                group,
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                "false",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class);
    }

    private final class Running implements AutoCloseable {

        private final IdempotentConsumer<ConsumerRecord<String, String>> idempotent =
                KafkaRecords.<String, String>consumer(consumer)
                        .store(ledger.store())
                        .build();
        private final Map<String, Object> properties;
        private final AtomicBoolean isClosing = new AtomicBoolean();
        private final PollLoop<String, String> loop;
        private final Thread thread;

        Running(String group, boolean isContainer) {
            properties = CutLogTest.this.properties(group);
            loop = PollLoop.of(idempotent, (message, claim) -> ledger.enter(message))
                    .properties(properties)
                    .topics("orders")
                    .startFrom(JdbcOffsets.on(ledger.pool()))
                    .build();
            thread = new Thread(isContainer ? this::pollAsContainer : loop, "loop");
        }

        private void pollAsContainer() {
            try (Consumer<String, String> kafka = ConsumerFromStore.of(
                    new KafkaConsumer<>(properties), consumer, JdbcOffsets.on(ledger.pool()), properties)) {
                kafka.subscribe(List.of("orders"));
                while (!isClosing.get()) {
                    ConsumerRecords<String, String> polled = kafka.poll(Duration.ofMillis(100));
                    if (!polled.isEmpty()) {
                        List<ConsumerRecord<String, String>> records = new ArrayList<>();
                        polled.forEach(records::add);
                        idempotent.consumeAll(records, (message, claim) -> ledger.enter(message));
                        long next = records.get(records.size() - 1).offset() + 1;
                        kafka.commitSync(Map.of(new TopicPartition("orders", 0), new OffsetAndMetadata(next)));
                    }
                }
            }
        }

        void start() {
            thread.start();
        }

        @Override
        public void close() {
            isClosing.set(true);
            loop.close();
            eventually().until(() -> !thread.isAlive());
            idempotent.close();
        }
    }
}
