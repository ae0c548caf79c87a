package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.IdempotentConsumer;
import io.idempotency.QuarantineKeeper;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.PurgeListener;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("rule-3.9")
class PurgerTest {

    private final String prefix = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource
    void purgesInBatchesUntilNothingOldIsLeft(TestDatabase database) {
        List<Long> progress = new ArrayList<>();
        try (Fixture fixture = Fixture.on(database);
                Purger purger = Purger.of(fixture.store)
                        .batchSize(10)
                        .progress(progress::add)
                        .build()) {
            fixture.transactions.inTransaction(() -> fixture.store.claim(fixture.inARow(prefix, 35)));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            fixture.claimed(prefix + "-young");

            long forgotten = purger.runOnce();

            assertThat(forgotten).isGreaterThanOrEqualTo(35);
            assertThat(progress).hasSizeGreaterThanOrEqualTo(4).isSorted().endsWith(forgotten);

            assertThat(fixture.isProcessed(prefix + "0")).isFalse();
            assertThat(fixture.isProcessed(prefix + "-young")).isTrue();
            assertThat(purger.runOnce()).isZero();
        }
    }

    @Test
    void tellsAListenerOfEachRunThatSucceeded() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            fixture.claimed(prefix);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            List<String> told = new ArrayList<>();
            AtomicBoolean isFailing = new AtomicBoolean();
            try (Purger purger = Purger.of(fixture.store)
                    .afterwards(() -> {
                        if (isFailing.get()) {
                            throw new IllegalStateException("no");
                        }
                    })
                    .listener((store, messages, took) -> {
                        told.add(store + " " + messages);
                        throw new IllegalStateException("a listener that fails");
                    })
                    .build()) {
                assertThat(purger.runOnce()).isEqualTo(1);
                isFailing.set(true);
                assertThatThrownBy(purger::runOnce).hasMessage("no");
            }

            assertThat(told).containsExactly("table 1");
        }
    }

    @Test
    void tellsAListenerThatItBegins() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            List<String> told = new ArrayList<>();
            PurgeListener listener = new PurgeListener() {
                @Override
                public void onStarted(String store) {
                    told.add(store);
                }

                @Override
                public void onPurged(String store, long messages, Duration took) {}
            };

            Purger.of(fixture.store)
                    .interval(Duration.ofDays(1))
                    .listener(listener)
                    .start()
                    .close();

            assertThat(told).containsExactly("table");
        }
    }

    @Test
    @Tag("rule-8.24")
    void purgesTheAuditByItsOwnRetention() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            JdbcAudit audit = JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            audit.write(act("old"));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(401));
            audit.write(act("young"));
            try (Purger purger = Purger.of(fixture.store)
                    .audit(audit, Purger.DEFAULT_AUDIT_RETENTION)
                    .build()) {
                purger.runOnce();
            }

            assertThat(audit.list(Instant.EPOCH, 10))
                    .extracting(AuditRecord::subject)
                    .containsExactly("young");
        }
    }

    private static AuditRecord act(String subject) {
        return new AuditRecord(Instant.EPOCH, "Ada", "cli", "forget", "billing", 1, subject, "INC-42");
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.27")
    void dropsQuarantinedMessagesOnlyWithARetention(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            JdbcAudit audit = JdbcAudit.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            JdbcQuarantine quarantine = JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX);
            Claim bad = fixture.claimed(prefix + "bad");
            fixture.store.quarantine(bad);
            quarantine.save(new QuarantinedMessage(
                    bad.delivery(),
                    Payload.none(Payload.Origin.SWITCHED_OFF),
                    new QuarantineFailure("java.lang.Error", "g", "java.lang.Error"),
                    5));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(31));
            TestDatabase.execute(
                    fixture.dataSource, "update " + Fixture.PREFIX + "quarantine set first_at_micros = at_micros");
            QuarantineKeeper keeper = QuarantineKeeper.of(fixture.store, quarantine, audit, Duration.ofDays(8));
            List<String> warnings = Warnings.of(QuarantineKeeper.class, () -> run(fixture, keeper, keeper));
            assertThat(quarantine.find(bad.delivery().id())).isPresent();
            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .startsWith("Messages are in quarantine for longer than PT192H");

            warnings =
                    Warnings.of(QuarantineKeeper.class, () -> run(fixture, keeper.droppingAfter(Duration.ofDays(30))));

            assertThat(quarantine.find(bad.delivery().id())).isEmpty();
            assertThat(fixture.store
                            .messages()
                            .look(bad.delivery().id())
                            .orElseThrow()
                            .status())
                    .isEqualTo(MessageStatus.DROPPED);
            assertThat(audit.list(Instant.now().minus(Duration.ofDays(1)), 10))
                    .filteredOn(act -> act.verb().equals("drop-old"))
                    .extracting(AuditRecord::messages)
                    .contains(1L);
            assertThat(warnings).anyMatch(line -> line.startsWith("Dropped 1 message(s) of"));
        }
    }

    private static void run(Fixture fixture, Runnable... tasks) {
        Purger.Builder builder = Purger.of(fixture.store);
        for (Runnable task : tasks) {
            builder.afterwards(task);
        }
        try (Purger purger = builder.build()) {
            purger.runOnce();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.4")
    void forgetsNothingThatAnotherApplicationRemembersLonger(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database);
                Purger purger = Purger.of(fixture.store).build();
                Purger short1 = Purger.of(otherApplication(fixture))
                        .retention(Duration.ofSeconds(15))
                        .build()) {
            fixture.claimed(prefix);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofMinutes(1));
            short1.runOnce();
            assertThat(fixture.isProcessed(prefix))
                    .as("nobody has said how long")
                    .isTrue();
            purger.runOnce();

            short1.runOnce();
            assertThat(fixture.isProcessed(prefix)).as("a minute old").isTrue();

            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            short1.runOnce();
            assertThat(fixture.isProcessed(prefix))
                    .as("nine days old, its own application is gone")
                    .isFalse();
        }
    }

    private static TableStore otherApplication(Fixture fixture) {
        TableStore store = TableStore.builder(fixture.dataSource)
                .tablePrefix(Fixture.PREFIX)
                .build();
        Delivery delivery = new Delivery(new MessageId("c-" + UUID.randomUUID(), "m"), new Position("orders", 0, 1));
        store.transactions().inTransaction(() -> store.claim(List.of(delivery)));
        return store;
    }

    @Test
    @Tag("rule-8.4")
    void keepsToTheLongestTimeThatWasEverSaidAndWarnsOfAShorterOne() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2);
                Purger purger = Purger.of(fixture.store).build()) {
            fixture.claimed(prefix);
            purger.runOnce();
            TableStore restarted = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            restarted.transactions().inTransaction(() -> restarted.claim(List.of(fixture.at(prefix + "-2", 2))));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(2));

            List<String> warnings = Warnings.of(Purger.class, () -> {
                for (int i = 0; i < 2; i++) {
                    int unused = restarted.purge(Duration.ofDays(1), 100); // others of these tables may be old
                }
            });

            assertThat(fixture.isProcessed(prefix)).isTrue();
            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains(
                            fixture.consumer,
                            "PT192H",
                            "PT24H",
                            "update rules_name set retention_micros = 86400000000");
        }
    }

    /** A longer retention counts from the restart on: the first purge comes before the first message. */
    @Test
    @Tag("rule-8.4")
    void storesTheRetentionOfAConsumerBeforeItsFirstMessage() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2);
                Purger shorter =
                        Purger.of(fixture.store).retention(Duration.ofDays(1)).build()) {
            fixture.claimed(prefix);
            shorter.runOnce();
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(2));
            TableStore restarted = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            IdempotentConsumer<String> unused = IdempotentConsumer.<String>named(fixture.consumer)
                    .store(restarted)
                    .messageId(Optional::of)
                    .build();

            try (Purger longer = Purger.of(restarted).build()) {
                longer.runOnce();
            }

            assertThat(fixture.isProcessed(prefix)).isTrue();
        }
    }

    /** Nobody can do anything about the leases of the library itself, which the purger takes as messages of its own consumer. */
    @Test
    @Tag("rule-8.4")
    void doesNotWarnOfTheLibrarysOwnConsumers() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2);
                Purger purger = Purger.of(fixture.store).build()) {
            Delivery ofMeters = new Delivery(new MessageId("idempotency.meters", "quarantine"), Position.UNKNOWN);
            fixture.store.release(fixture.store.lease(List.of(ofMeters), Duration.ofMinutes(1)));
            purger.runOnce();
            TableStore restarted = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            restarted.lease(List.of(ofMeters), Duration.ofMinutes(1));

            List<String> warnings = Warnings.of(Purger.class, () -> {
                try (Purger shorter =
                        Purger.of(restarted).retention(Duration.ofDays(1)).build()) {
                    shorter.runOnce();
                }
            });

            assertThat(warnings).isEmpty();
        }
    }

    /** Of two consumers, one with all the old messages, and none of them are to be purged: nor are the statistics up to date. */
    @ParameterizedTest
    @ValueSource(strings = {"force_generic_plan", "force_custom_plan"})
    @Tag("rule-8.6")
    void findsWhatIsOldByItsIndexOnPostgresql(String planCacheMode) throws SQLException {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            String purge = purgeStatement(fixture);
            fixture.jdbc.update("""
                    insert into rules_message (at_micros, record_offset, place, consumer, state, message_id)
                    select extract(epoch from now()) * 1000000 - i, i, 1, 12345, ?, gen_random_uuid()
                    from generate_series(1, 30000) i
                    """, MessageState.processed(1, 0).packed());
            try (Connection connection = fixture.dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("set plan_cache_mode = " + planCacheMode);

                assertThat(plan(connection, purge, 0))
                        .contains("rules_message_at")
                        .doesNotContain("Seq Scan");
                assertThat(buffers(plan(connection, purge, 0))).isLessThan(20);
                assertThat(plan(connection, purge, Long.MAX_VALUE >> 1)).doesNotContain("Seq Scan");
                assertThat(buffers(plan(connection, purge, Long.MAX_VALUE >> 1)))
                        .as("to delete a thousand rows")
                        .isBetween(1_000L, 10_000L);
            } finally {
                fixture.handle("delete from rules_message where consumer = 12345");
            }
        }
    }

    private static String purgeStatement(Fixture fixture) {
        CountedStatements counted = new CountedStatements(fixture.dataSource);
        TableStore store =
                TableStore.builder(counted).tablePrefix(Fixture.PREFIX).build();
        fixture.claimed("known");
        store.transactions().inTransaction(() -> store.claim(List.of(fixture.at("known", 1))));
        store.purge(Duration.ofDays(8), 1000);
        return counted.statements().stream()
                .filter(sql -> sql.contains("delete from rules_message"))
                .findFirst()
                .orElseThrow();
    }

    private static String plan(Connection connection, String purge, long before) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement =
                connection.prepareStatement("explain (analyze, buffers, timing off, costs off) " + purge)) {
            statement.setInt(1, 12345);
            statement.setLong(2, before >> 22);
            statement.setLong(3, before);
            statement.setInt(4, 1000);
            StringBuilder plan = new StringBuilder();
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    plan.append(result.getString(1)).append('\n');
                }
            }
            return plan.toString();
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    /** The first line with buffers has the sum of the whole statement. */
    private static long buffers(String plan) {
        Matcher matcher = Pattern.compile("Buffers: shared([^\n]*)").matcher(plan);
        assertThat(matcher.find()).as(plan).isTrue();
        return Pattern.compile("(hit|read)=(\\d+)")
                .matcher(matcher.group(1))
                .results()
                .mapToLong(each -> Long.parseLong(each.group(2)))
                .sum();
    }

    @Test
    void leavesTheRunToTheNodeThatHasIt() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2);
                Purger purger = Purger.of(fixture.store).build()) {
            fixture.claimed(prefix);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            Delivery run = new Delivery(new MessageId(Purger.CONSUMER, "run"), Position.UNKNOWN);
            List<Claim> otherNode = fixture.store.lease(List.of(run), Duration.ofMinutes(1));

            assertThat(purger.runOnce()).isZero();
            assertThat(fixture.isProcessed(prefix)).isTrue();
            fixture.store.release(otherNode);

            assertThat(purger.runOnce()).isPositive();
            assertThat(fixture.isProcessed(prefix)).isFalse();
        }
    }

    @Test
    void runsByItselfAndGoesOnAfterAFailure() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            fixture.handle("alter table rules_message rename to rules_elsewhere");
            try (Purger purger =
                    Purger.of(fixture.store).interval(Duration.ofMillis(20)).start()) {
                fixture.handle("alter table rules_elsewhere rename to rules_message");
                fixture.claimed(prefix);
                TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));

                await().until(() -> !fixture.isProcessed(prefix));
                assertThat(purger).isNotNull();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void passesOverRowsThatOthersHold(TestDatabase database) throws SQLException {
        try (Fixture fixture = Fixture.on(database);
                Connection other = fixture.dataSource.getConnection();
                Statement statement = other.createStatement()) {
            fixture.transactions.inTransaction(() -> fixture.store.claim(fixture.inARow(prefix, 2)));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            other.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            other.setAutoCommit(false);
            statement.executeQuery("select state from rules_message where record_offset = 0 for update");

            fixture.store.purge(Duration.ofDays(8), 1000);

            other.rollback();
            assertThat(fixture.isProcessed(prefix + "0")).isTrue();
            assertThat(fixture.isProcessed(prefix + "1")).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void purgesAtReadCommittedWhateverTheDefault(TestDatabase database) {
        try (Fixture fixture =
                Fixture.on(database.pool(3, config -> config.setTransactionIsolation("TRANSACTION_REPEATABLE_READ")))) {
            Meanwhile meanwhile = new Meanwhile(fixture.dataSource);
            TableStore store =
                    TableStore.builder(meanwhile).tablePrefix(Fixture.PREFIX).build();
            List<Integer> levels = new ArrayList<>();
            meanwhile.before("delete from rules_message", connection -> levels.add(isolation(connection)));
            fixture.claimed(prefix);
            fixture.store.purge(Duration.ofDays(8), 1000);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));

            store.purge(Duration.ofDays(8), 1000);

            assertThat(levels).containsExactly(Connection.TRANSACTION_READ_COMMITTED);
        }
    }

    /** The other databases hold the rows in between. */
    @Test
    void sparesWhatIsLeasedAgainBetweenItsChoiceAndItsDeletion() {
        try (Fixture fixture = Fixture.on(TestDatabase.HSQLDB)) {
            Meanwhile meanwhile = new Meanwhile(fixture.dataSource);
            TableStore store =
                    TableStore.builder(meanwhile).tablePrefix(Fixture.PREFIX).build();
            List<Delivery> deliveries = List.of(fixture.at(prefix, 1));
            fixture.store.lease(deliveries, Duration.ofMinutes(1));
            fixture.store.purge(Duration.ofDays(8), 1000);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            meanwhile.before("delete from rules_message", () -> fixture.store.lease(deliveries, Duration.ofMinutes(1)));

            store.purge(Duration.ofDays(8), 1000);

            assertThat(meanwhile.isOver()).isTrue();
            assertThat(fixture.store.lease(deliveries, Duration.ofMinutes(1)))
                    .extracting(Claim::status)
                    .containsExactly(Claim.Status.IN_PROGRESS);
        }
    }

    private static int isolation(Connection connection) {
        try {
            return connection.getTransactionIsolation();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void refusesSettingsThatAreNotPositive() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            Purger.Builder builder = Purger.of(fixture.store);
            assertThatThrownBy(builder.batchSize(0)::build).isInstanceOf(IdempotencyException.class);
            assertThatThrownBy(builder.batchSize(1).retention(Duration.ZERO)::build)
                    .isInstanceOf(IdempotencyException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void isSafeWhileClaimsRun(TestDatabase database) throws Exception {
        try (Fixture fixture = Fixture.on(database)) {
            AtomicBoolean stop = new AtomicBoolean();
            // On a thread of its own: two cores have a common pool of one, which others may keep busy.
            CompletableFuture<Integer> purging = CompletableFuture.supplyAsync(
                    () -> {
                        int forgotten = 0;
                        while (!stop.get()) {
                            forgotten += fixture.store.purge(Duration.ofDays(8), 100);
                        }
                        return forgotten;
                    },
                    work -> new Thread(work, "purging").start());
            for (int round = 0; round < 30; round++) {
                List<Delivery> deliveries = inARow(fixture, prefix + "-" + round + "-", round * 50);
                fixture.transactions.inTransaction(
                        () -> assertThat(fixture.store.claim(deliveries)).allMatch(Claim::isGranted));
                fixture.jdbc.update(
                        "update rules_message set at_micros = 1 where mod(record_offset, 50) >= 25 and state >= ? and consumer ="
                                + " (select id from rules_name where name = ?)",
                        MessageState.FIRST_SETTLED,
                        fixture.consumer);
            }
            // A purge that failed says why below.
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> purging.isDone()
                            || fixture.jdbc
                                    .queryForList(
                                            "select place from rules_message where at_micros = 1 and consumer ="
                                                    + " (select id from rules_name where name = ?)",
                                            fixture.consumer)
                                    .isEmpty());
            stop.set(true);

            assertThat(purging.get(30, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(30 * 25);
            assertThat(fixture.isProcessed(prefix + "-7-24")).isTrue();
            assertThat(fixture.isProcessed(prefix + "-7-25")).isFalse();
        }
    }

    private static List<Delivery> inARow(Fixture fixture, String prefix, int first) {
        return IntStream.range(0, 50)
                .mapToObj(i -> fixture.at(prefix + i, first + i))
                .toList();
    }
}
