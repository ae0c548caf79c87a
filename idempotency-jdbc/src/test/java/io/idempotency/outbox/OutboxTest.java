package io.idempotency.outbox;

import static io.idempotency.outbox.OutboxScene.id;
import static io.idempotency.outbox.OutboxScene.incoming;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.kafka.DerivedIds;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

class OutboxTest {

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.1")
    void sendsWhatIsCommittedAndNothingElse(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            scene.transactions.inTransaction(() -> scene.outbox.send(scene.topic, "k", "committed"));
            assertThatThrownBy(() -> scene.transactions.inTransaction(() -> {
                        scene.outbox.send(scene.topic, "k", "rolled back");
                        throw new IllegalStateException("as planned");
                    }))
                    .hasMessage("as planned");
            scene.outbox.send(scene.topic, "k", "alone");

            scene.relayAll();

            assertThat(scene.receivedValues()).containsExactly("committed", "alone");
            assertThat(scene.store.total()).isEqualTo(new OutboxTotal(0, Duration.ZERO, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.1")
    void forgetsWhatASavepointTookBack(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            scene.transactions.inTransaction(() -> {
                scene.outbox.send(scene.topic, "k", "before");
                try (Connection connection = scene.transactions.dataSource().getConnection()) {
                    Savepoint savepoint = connection.setSavepoint();
                    scene.outbox.send(scene.topic, "k", "taken back");
                    connection.rollback(savepoint);
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
                scene.outbox.send(scene.topic, "k", "after");
            });

            scene.relayAll();

            assertThat(scene.receivedValues()).containsExactly("before", "after");
        }
    }

    /** As a handler in plain Java may do: the template binds what it gets from the proxy, which is no other transaction. */
    @Test
    @Tag("rule-11.1")
    void takesOutputsBehindAStatementOfATemplateOnTheProxy() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            JdbcTemplate template = new JdbcTemplate(scene.transactions.dataSource());
            scene.transactions.inTransaction(() -> {
                template.queryForList("select 1");
                scene.outbox.send(scene.topic, "k", "sent");
            });
            scene.relayAll();
            assertThat(scene.receivedValues()).containsExactly("sent");
        }
    }

    @Test
    @Tag("rule-11.1")
    void forgetsWhatANestedTransactionTookBackAndNothingElse() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            TransactionTemplate transactions = new TransactionTemplate(new JdbcTransactionManager(scene.dataSource));
            TransactionTemplate nested =
                    new TransactionTemplate(Objects.requireNonNull(transactions.getTransactionManager()));
            nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);

            transactions.executeWithoutResult(status -> {
                scene.outbox.send(scene.topic, "k", "before");
                assertThatThrownBy(() -> nested.executeWithoutResult(inner -> {
                            scene.outbox.send(scene.topic, "k", "taken back");
                            throw new IllegalStateException("as planned");
                        }))
                        .hasMessage("as planned");
            });

            scene.relayAll();
            assertThat(scene.receivedValues()).containsExactly("before");
        }
    }

    @Test
    @Tag("rule-11.1")
    void takesOutputsUntilTheCommitAndRefusesThemBehindIt() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            List<Throwable> refused = new ArrayList<>();
            scene.transactions.inTransaction(() ->
                    TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                        @Override
                        public void beforeCommit(boolean readOnly) {
                            scene.outbox.send(scene.topic, "k", "before the commit");
                        }

                        @Override
                        public void afterCommit() {
                            refused.add(catchThrowable(() -> scene.outbox.send(scene.topic, "k", "behind it")));
                        }
                    }));

            scene.relayAll();
            assertThat(scene.receivedValues()).containsExactly("before the commit");
            assertThat(refused).singleElement().isInstanceOf(IdempotencyException.class);
        }
    }

    /** As a {@code @TransactionalEventListener} with {@code REQUIRES_NEW} does. */
    @Test
    @Tag("rule-11.1")
    void takesOutputsOfANewTransactionBehindTheCommitOfAnother() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            TransactionTemplate another = new TransactionTemplate(new JdbcTransactionManager(scene.dataSource));
            another.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
            scene.transactions.inTransaction(() ->
                    TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                        @Override
                        public void afterCommit() {
                            another.executeWithoutResult(
                                    status -> scene.outbox.send(scene.topic, "k", "of another transaction"));
                        }
                    }));

            scene.relayAll();
            assertThat(scene.receivedValues()).containsExactly("of another transaction");
        }
    }

    /** Such a transaction commits although its message runs again, and the next run may decide otherwise. */
    @Test
    @Tag("rule-11.2")
    void drawsAnIdInATransactionWithoutClaims() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            List<String> ids = new ArrayList<>();
            TransactionTemplate another = new TransactionTemplate(new JdbcTransactionManager(scene.dataSource));
            another.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
            scene.consumer().consume(incoming("order-1", 1), (message, claim) -> {
                another.executeWithoutResult(status -> ids.add(scene.outbox.send(scene.topic, "k", "v")));
                ids.add(scene.outbox.send(scene.topic, "k", "v"));
            });

            assertThat(ids).extracting(id -> UUID.fromString(id).version()).containsExactly(7, 8);
        }
    }

    @Test
    @Tag("rule-11.2")
    void replacesIdsThatOutputsOfABatchCopied() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            List<String> ids = new ArrayList<>();
            scene.consumer()
                    .consumeBatch(List.of(incoming("order-1", 1), incoming("order-2", 2)), (messages, claims) -> {
                        for (ConsumerRecord<String, String> message : messages) {
                            for (int i = 0; i < 2; i++) {
                                ids.add(scene.outbox.send(
                                        new ProducerRecord<>(scene.topic, null, null, "k", "v", message.headers())));
                            }
                        }
                    });

            assertThat(ids)
                    .containsExactly(
                            DerivedIds.of(new MessageId("payments", "order-1"), 0),
                            DerivedIds.of(new MessageId("payments", "order-1"), 1),
                            DerivedIds.of(new MessageId("payments", "order-2"), 0),
                            DerivedIds.of(new MessageId("payments", "order-2"), 1));
        }
    }

    @Test
    @Tag("rule-11.4")
    void setsWhatDecidesAboutOrderAndGoesOnWhenItsListenerFails() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            OutboxListener failing = new OutboxListener() {
                @Override
                public void onSent(int outputs) {
                    throw new IllegalStateException("as planned");
                }
            };
            Map<String, Object> unsafe = Map.of(
                    "bootstrap.servers",
                    OutboxScene.servers(),
                    "retries",
                    0,
                    "max.in.flight.requests.per.connection",
                    10,
                    "linger.ms",
                    60_000,
                    "enable.idempotence",
                    false,
                    "partitioner.class",
                    "no.such.Partitioner");
            try (OutboxRelay relay =
                    OutboxRelay.of(scene.store, unsafe).listener(failing).start()) {
                scene.outbox.send(scene.topic, "k", "one");
                relay.wake();
                Awaitility.await().until(() -> scene.store.total().waiting() == 0);
                scene.outbox.send(scene.topic, "k", "two");
                relay.wake();
                Awaitility.await().until(() -> scene.store.total().waiting() == 0);
            }
            assertThat(scene.receivedValues()).containsExactly("one", "two");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    void keepsEverythingOfARecord(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            ProducerRecord<String, String> full = new ProducerRecord<>(scene.topic, 1, 1234L, "k", "v");
            full.headers()
                    .add("trace", "t".getBytes(UTF_8))
                    .add("empty", null)
                    .add("message-id", "mine".getBytes(UTF_8));
            scene.outbox.sendAll(null, List.of(full, new ProducerRecord<>(scene.topic, 1, null, null)));

            scene.relayAll();

            List<ConsumerRecord<String, String>> received = scene.received();
            ConsumerRecord<String, String> first = received.stream()
                    .filter(record -> record.value() != null)
                    .findFirst()
                    .orElseThrow();
            assertThat(received).hasSize(2).allMatch(record -> record.partition() == 1);
            assertThat(first.timestamp()).isEqualTo(1234);
            assertThat(first.key()).isEqualTo("k");
            assertThat(id(first)).isEqualTo("mine");
            assertThat(first.headers().lastHeader("trace").value()).isEqualTo("t".getBytes(UTF_8));
            assertThat(first.headers().lastHeader("empty").value()).isNull();
            received.remove(first);
            assertThat(received.get(0).key()).isNull();
            assertThat(UUID.fromString(id(received.get(0))).version()).isEqualTo(7);
        }
    }

    @Test
    @Tag("rule-11.2")
    void givesOutputsTheSameIdsWhenTheHandlerRunsAgain() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            IdempotentConsumer<ConsumerRecord<String, String>> consumer = scene.consumer();
            List<List<String>> runs = new ArrayList<>();
            assertThatThrownBy(() -> consumer.consume(incoming("order-1", 1), (message, claim) -> {
                        runs.add(List.of(
                                scene.outbox.send(scene.topic, "k", "first"),
                                scene.outbox.send(scene.topic, "k", "second")));
                        throw new IllegalStateException("as planned");
                    }))
                    .hasMessage("as planned");
            consumer.consume(
                    incoming("order-1", 1),
                    (message, claim) -> runs.add(List.of(
                            scene.outbox.send(scene.topic, "k", "first"),
                            scene.outbox.send(scene.topic, "k", "second"))));

            assertThat(runs).hasSize(2);
            assertThat(runs.get(0)).isEqualTo(runs.get(1)).doesNotHaveDuplicates();
            scene.relayAll();
            assertThat(scene.received()).extracting(OutboxScene::id).isEqualTo(runs.get(1));
        }
    }

    @Test
    @Tag("rule-11.2")
    void replacesTheIdOfTheHandledMessageIfItWasCopied() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            List<String> ids = new ArrayList<>();
            scene.consumer().consume(incoming("order-1", 1), (message, claim) -> {
                ids.add(scene.outbox.send(
                        new ProducerRecord<>(scene.topic, null, null, "k", "copied", message.headers())));
                ids.add(scene.outbox.send(claim.delivery().id(), new ProducerRecord<>(scene.topic, "k", "named")));
            });

            assertThat(ids).hasSize(2).doesNotContain("order-1").doesNotHaveDuplicates();
            scene.relayAll();
            assertThat(scene.received()).extracting(OutboxScene::id).isEqualTo(ids);
            assertThat(scene.received().get(0).headers().toArray()).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.4")
    void sendsAgainWithTheSameIdsAfterARelayDiedBeforeItsCommit(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            scene.outbox.send(scene.topic, "k", "one");
            OutboxStore dying = new Wrapped(scene.store) {
                @Override
                protected Sent afterSending(Sent sent) {
                    throw new IllegalStateException("dies after Kafka has acknowledged");
                }
            };
            try (OutboxRelay relay = scene.relay(dying).build()) {
                assertThatThrownBy(relay::runOnce).hasMessageContaining("dies after");
            }
            scene.outbox.send(scene.topic, "k", "two");

            scene.relayAll();

            assertThat(scene.receivedValues()).containsExactly("one", "one", "two");
            assertThat(scene.received().stream().map(OutboxScene::id).distinct())
                    .hasSize(2);
        }
    }

    /** The outputs of the first part are on their way then. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.4")
    void sendsAgainAfterTheDatabaseFailedBetweenTwoParts(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            for (int i = 0; i < 50; i++) {
                scene.outbox.send(scene.topic, "k" + i % 10, String.valueOf(i));
            }
            AtomicInteger parts = new AtomicInteger();
            OutboxStore failing = new Wrapped(scene.store) {
                @Override
                protected void beforeAdding() {
                    if (parts.incrementAndGet() == 2) {
                        throw new IllegalStateException("as planned");
                    }
                }

                @Override
                protected Sent afterSending(Sent sent) {
                    return sent;
                }
            };
            try (OutboxRelay relay = scene.relay(failing).build()) {
                assertThatThrownBy(relay::runOnce).hasMessageContaining("as planned");
                assertThat(scene.store.total().waiting()).isEqualTo(50);
                int read = 1;
                while (read > 0) {
                    read = relay.runOnce();
                }
            }

            Map<String, LinkedHashSet<Integer>> byKey = new HashMap<>();
            scene.received()
                    .forEach(record -> byKey.computeIfAbsent(record.key(), key -> new LinkedHashSet<>())
                            .add(Integer.valueOf(record.value())));
            assertThat(byKey).hasSize(10);
            assertThat(byKey.values())
                    .allSatisfy(values ->
                            assertThat(new ArrayList<>(values)).hasSize(5).isSorted());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    void takesOnlySoManyBytesAtATime(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            for (int i = 0; i < 20; i++) {
                scene.outbox.send(scene.topic, "k", "x".repeat(900_000));
            }
            try (OutboxRelay relay = scene.relay(scene.store).build()) {
                assertThat(relay.runOnce()).isEqualTo(19);
                assertThat(relay.runOnce()).isEqualTo(1);
            }

            assertThat(scene.received()).hasSize(20);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.3")
    void keepsTheOrderOfEachKeyWithSeveralRelays(TestDatabase database) {
        int keys = 40;
        int each = 25;
        try (OutboxScene scene = new OutboxScene(database);
                OutboxRelay one = scene.relay(scene.store).batchSize(50).start();
                OutboxRelay two = scene.relay(scene.store).batchSize(50).start()) {
            Outbox<String, String> outbox = scene.outbox.waking(() -> {
                one.wake();
                two.wake();
            });
            for (int i = 0; i < each; i++) {
                for (int key = 0; key < keys; key++) {
                    outbox.send(scene.topic, "k" + key, String.valueOf(i));
                }
            }
            Awaitility.await().until(() -> scene.store.total().waiting() == 0);

            Map<String, List<String>> byKey = new HashMap<>();
            scene.received()
                    .forEach(record -> byKey.computeIfAbsent(record.key(), key -> new ArrayList<>())
                            .add(record.value()));
            assertThat(byKey).hasSize(keys);
            List<String> inOrder =
                    IntStream.range(0, each).mapToObj(String::valueOf).toList();
            assertThat(byKey.values())
                    .allSatisfy(values -> assertThat(new ArrayList<>(new LinkedHashSet<>(values)))
                            .isEqualTo(inOrder));
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    @Tag("rule-11.5")
    void setsAsideWhatKafkaRefusesAndGoesOn(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            String later = "later-" + UUID.randomUUID();
            scene.outbox.send(scene.topic, "k", "before");
            scene.outbox.send(scene.topic, "k", "x".repeat(1_100_000));
            scene.outbox.send(later, "k", "to a topic that is missing");
            scene.outbox.send(new ProducerRecord<>(scene.topic, 7, "k", "to a partition that is missing"));
            scene.outbox.send(scene.topic, "k", "after");

            scene.relayAll();

            assertThat(scene.receivedValues()).containsExactly("before", "after");
            RefusedOutputs refused = scene.store.refused();
            List<RefusedSummary> all = refused.list(Optional.empty(), 0, 10);
            assertThat(all).extracting(RefusedSummary::topic).containsExactly(scene.topic, later, scene.topic);
            assertThat(all.get(0).reason()).contains("RecordTooLarge");
            assertThat(all.get(1).reason()).isEqualTo(later + " does not exist");
            assertThat(all.get(2).reason()).isEqualTo(scene.topic + ", partition 7, does not exist");
            assertThat(scene.store.total()).isEqualTo(new OutboxTotal(0, Duration.ZERO, 3));

            OutboxScene.createTopic(later, 1, Map.of());
            assertThat(refused.resendAll("another topic")).isZero();
            assertThat(refused.resend(all.get(1).number())).isTrue();
            assertThat(refused.discard(all.get(0).number())).isTrue();
            assertThat(refused.discard(all.get(0).number())).isFalse();
            scene.relayAll();

            assertThat(scene.store.total()).isEqualTo(new OutboxTotal(0, Duration.ZERO, 1));
        }
    }

    /** A producer waits at each output to a topic that it does not know. The others must not wait with it, however many there are. */
    @Test
    @Tag("rule-11.5")
    void doesNotLetOthersWaitForTopicsThatAreMissing() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            List<String> missing = List.of("missing-" + UUID.randomUUID(), "missing-" + UUID.randomUUID());
            for (int i = 0; i < 20; i++) {
                for (String each : missing) {
                    scene.outbox.send(each, "k", "v" + i);
                }
            }
            scene.outbox.send(scene.topic, "k", "good");
            int rounds = 0;
            try (OutboxRelay relay =
                    scene.relay(scene.store).patience(Duration.ofMillis(500)).build()) {
                for (int read = 1; read > 0; rounds++) {
                    read = relay.runOnce();
                }
            }

            assertThat(rounds)
                    .as("one for each topic, and one that finds nothing")
                    .isLessThanOrEqualTo(4);
            assertThat(scene.receivedValues()).containsExactly("good");
            assertThat(scene.store.refused().list(Optional.empty(), 0, 100)).hasSize(40);
        }
    }

    /** A topic that is compacted refuses a record without a key, and with it the request of others. */
    @Test
    @Tag("rule-11.5")
    void findsTheRecordForWhichKafkaRefusesOthers() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            String compacted = "compacted-" + UUID.randomUUID();
            OutboxScene.createTopic(compacted, 1, Map.of("cleanup.policy", "compact"));
            List<ProducerRecord<String, String>> records = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                records.add(new ProducerRecord<>(compacted, i == 10 ? null : "k" + i, "v" + i));
            }
            scene.outbox.sendAll(null, records);
            try (OutboxRelay relay = scene.relay(scene.store).start()) {
                relay.wake();
                Awaitility.await().until(() -> scene.store.total().waiting() == 0);
            }

            assertThat(scene.store.refused().list(Optional.empty(), 0, 10))
                    .singleElement()
                    .satisfies(each -> assertThat(scene.store
                                    .refused()
                                    .find(each.number())
                                    .orElseThrow()
                                    .stored()
                                    .output()
                                    .value())
                            .isEqualTo("v10".getBytes(UTF_8)));
        }
    }

    @Test
    @Tag("rule-11.5")
    void waitsWhileKafkaIsAway() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            scene.outbox.send(scene.topic, "k", "one");
            Map<String, Object> nobody = Map.of("bootstrap.servers", "localhost:1", "max.block.ms", "300");
            try (OutboxRelay relay = OutboxRelay.of(scene.store, nobody).build()) {
                assertThatThrownBy(relay::runOnce)
                        .isInstanceOf(TransientStoreException.class)
                        .hasMessageContaining("output")
                        .hasMessageContaining(scene.topic);
            }
            assertThat(scene.store.total().waiting()).isEqualTo(1);
            assertThat(scene.store.total().age()).isPositive();
            assertThat(scene.store.total().refused()).isZero();

            scene.relayAll();

            assertThat(scene.receivedValues()).containsExactly("one");
        }
    }

    @Test
    void isWokenByACommit() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                OutboxRelay relay =
                        scene.relay(scene.store).interval(Duration.ofHours(1)).start()) {
            scene.transactions.inTransaction(
                    () -> scene.outbox.waking(relay::wake).send(scene.topic, "k", "soon"));

            Awaitility.await().until(() -> scene.store.total().waiting() == 0);
        }
    }

    @Test
    void refusesATransactionOnOtherData() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL);
                HikariDataSource other = TestDatabase.POSTGRESQL.pool(1)) {
            assertThatThrownBy(() ->
                            JdbcTransactions.on(other).inTransaction(() -> scene.outbox.send(scene.topic, "k", "v")))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("not one on the data source");
        }
    }

    @Test
    void refusesADatabaseWithoutAnOutbox() {
        try (HikariDataSource dataSource = TestDatabase.HSQLDB.pool(2)) {
            Schema.on(dataSource).tablePrefix("no_outbox_").create();
            JdbcOutbox store = JdbcOutbox.on(dataSource).tablePrefix("no_outbox_");
            Outbox<String, String> outbox = Outbox.of(store, new StringSerializer(), new StringSerializer());

            assertThatThrownBy(() -> outbox.send("t", "k", "v"))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("no outbox for this database");
        }
    }
}
