package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.TransactionDefinition;

/** Rules of the journals that the contracts cannot see from outside. */
class JournalRulesTest {

    @Test
    @Tag("rule-4.1")
    void appendsToAllPartitionsOfAClaimByOneStatement() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.POSTGRESQL)) {
            Delivery[] first = poll(fixture, "a", 0);
            Delivery[] second = poll(fixture, "b", 50);
            claimed(fixture.one, first);

            fixture.counted.reset();
            assertThat(claimed(fixture.one, second)).containsOnly(Status.GRANTED);
            assertThat(fixture.counted.statements())
                    .as("the append, and the proof")
                    .hasSize(2);

            fixture.counted.reset();
            assertThat(claimed(fixture.one, second)).containsOnly(Status.DUPLICATE);
            assertThat(fixture.counted.statements()).isEmpty();
        }
    }

    private static Delivery[] poll(JournalFixture fixture, String prefix, int from) {
        return IntStream.range(0, 500)
                .mapToObj(i -> fixture.at(prefix + i, i % 12, from + i / 12))
                .toArray(Delivery[]::new);
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.1")
    void appendsAllOrNothingAndCatchesUpOnce(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            claimed(fixture.one, fixture.at("a", 0, 1), fixture.at("b", 1, 1));
            claimed(fixture.other, fixture.at("c", 1, 2));
            long before = fixture.one.catchUps();

            List<Status> statuses =
                    claimed(fixture.one, fixture.at("d", 0, 2), fixture.at("c", 1, 3), fixture.at("e", 1, 4));

            assertThat(fixture.one.catchUps() - before).isEqualTo(1);
            assertThat(fixture.one.reloads()).isZero();

            assertThat(statuses).containsExactly(Status.GRANTED, Status.DUPLICATE, Status.GRANTED);
            assertThat(fixture.versions()).containsExactly(2, 3);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.2")
    void keepsWhatARunningTransactionAppendedOutOfTheWindows(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore store = fixture.one;
            claimed(store, fixture.at("known", 0, 1));

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        store.claim(List.of(fixture.at("mine", 0, 2)));
                        store.forgetWindows();
                        // Another thread meets the partition, and reads its journal.
                        CompletableFuture.runAsync(() -> store.prepare(List.of(fixture.at("mine", 0, 2))))
                                .join();
                        assertThat(store.claim(List.of(fixture.at("mine", 0, 3), fixture.at("known", 0, 4))))
                                .extracting(Claim::status)
                                .containsOnly(Status.DUPLICATE);
                        throw new IllegalStateException("roll back");
                    }))
                    .hasMessage("roll back");

            assertThat(claimed(store, fixture.at("mine", 0, 2), fixture.at("known", 0, 3)))
                    .containsExactly(Status.GRANTED, Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-4.2")
    void doesNotReadTheSegmentsOfItsOwnTransactionIntoAWindow() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.POSTGRESQL)) {
            JournalStore store = fixture.one;
            claimed(store, fixture.at("known", 0, 1));

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        store.claim(List.of(fixture.at("mine", 0, 2)));
                        store.forgetWindows();
                        store.claim(List.of(fixture.at("mine", 0, 3)));
                        throw new IllegalStateException("roll back");
                    }))
                    .hasMessage("roll back");

            assertThat(claimed(store, fixture.at("mine", 0, 2))).containsExactly(Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.2")
    void refusesToCommitAfterARollbackToASavepoint(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore store = fixture.one;
            claimed(store, fixture.at("known", 0, 1));
            JdbcTransactions transactions = (JdbcTransactions) store.transactions();

            assertThatThrownBy(() -> transactions.inTransaction(() -> {
                        try (java.sql.Connection connection =
                                transactions.dataSource().getConnection()) {
                            java.sql.Savepoint savepoint = connection.setSavepoint("mine");
                            store.claim(List.of(fixture.at("m", 0, 2)));
                            connection.rollback(savepoint);
                        } catch (java.sql.SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(claimed(store, fixture.at("m", 0, 2))).containsExactly(Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.3")
    void seesWhatOthersAppendedWhateverTheIsolation(TestDatabase database) {
        for (int isolation : List.of(
                TransactionDefinition.ISOLATION_READ_COMMITTED,
                TransactionDefinition.ISOLATION_REPEATABLE_READ,
                TransactionDefinition.ISOLATION_SERIALIZABLE)) {
            try (JournalFixture fixture = new JournalFixture(database)) {
                claimed(fixture.one, fixture.at("known", 0, 1));
                List<Status> told = new ArrayList<>();
                for (int i = 0; i < 5 && told.isEmpty(); i++) {
                    int round = i;
                    try {
                        fixture.isolated(fixture.one, isolation).executeWithoutResult(status -> {
                            // The snapshot is taken, and then another process appends.
                            new JdbcTemplate(fixture.counted)
                                    .queryForList("select consumer from " + JournalFixture.PREFIX + "quarantine");
                            if (round == 0) {
                                CompletableFuture.runAsync(() -> claimed(fixture.other, fixture.at("m", 0, 2)))
                                        .join();
                            }
                            fixture.one
                                    .claim(List.of(fixture.at("m", 0, 3), fixture.at("n", 0, 4)))
                                    .forEach(claim -> told.add(claim.status()));
                        });
                    } catch (TransientStoreException e) {
                        told.clear();
                    }
                }
                assertThat(told).as("isolation %s", isolation).containsExactly(Status.DUPLICATE, Status.GRANTED);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"version = version - 1", "token = token + 1"})
    @Tag("rule-4.4")
    void readsAJournalAnewThatIsAnotherOneThanItKnew(String change) {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.POSTGRESQL)) {
            claimed(fixture.one, fixture.at("kept", 0, 1));
            claimed(fixture.one, fixture.at("lost", 0, 2));
            fixture.delete("segment", "version = 2");
            fixture.corrupt(
                    "journal",
                    "version = 1, token = (select token from " + JournalFixture.PREFIX + "segment s where s.consumer = "
                            + JournalFixture.PREFIX + "journal.consumer and s.version = 1)");
            if (change.startsWith("token")) {
                // Another process reaches the same version with another message.
                claimed(fixture.other, fixture.at("others", 0, 2));
            }

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("new", 0, 3)))
                    .isInstanceOf(TransientStoreException.class);

            assertThat(claimed(fixture.one, fixture.at("kept", 0, 4), fixture.at("lost", 0, 5)))
                    .containsExactly(Status.DUPLICATE, Status.GRANTED);
        }
    }

    @Test
    @Tag("rule-4.4")
    void noticesThatAnotherHistoryHasGoneBeyondWhatItKnew() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.POSTGRESQL)) {
            claimed(fixture.one, fixture.at("kept", 0, 1));
            claimed(fixture.one, fixture.at("lost", 0, 2));
            fixture.delete("segment", "version = 2");
            fixture.corrupt(
                    "journal",
                    "version = 1, token = (select token from " + JournalFixture.PREFIX + "segment s where s.consumer = "
                            + JournalFixture.PREFIX + "journal.consumer and s.version = 1)");
            claimed(fixture.other, fixture.at("others", 0, 2));
            claimed(fixture.other, fixture.at("more", 0, 3));

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("new", 0, 4)))
                    .isInstanceOf(TransientStoreException.class);

            assertThat(claimed(fixture.one, fixture.at("others", 0, 5), fixture.at("lost", 0, 6)))
                    .containsExactly(Status.DUPLICATE, Status.GRANTED);
        }
    }

    @Test
    @Tag("rule-4.3")
    void acceptsNoGap() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.POSTGRESQL)) {
            claimed(fixture.one, fixture.at("a", 0, 1));
            claimed(fixture.other, fixture.at("b", 0, 2));
            claimed(fixture.other, fixture.at("c", 0, 3));
            fixture.delete("segment", "version = 2");

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("d", 0, 4)))
                    .isInstanceOf(TransientStoreException.class);
        }
    }

    @Test
    @Tag("rule-4.5")
    void refusesAMessageWithoutAPosition() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            assertThatThrownBy(() -> claimed(fixture.one, new Delivery(new MessageId("c", "m"), Position.UNKNOWN)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("TableStore");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.7")
    void measuresAgeAgainstTheNewestMessageOfThePartition(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            claimed(fixture.one, fixture.at("still", 0, 1));
            claimed(fixture.one, fixture.at("old", 1, 1));
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("new", 1, 2));

            int purged = 0;
            for (int batch = 1; batch > 0; purged += batch) {
                batch = fixture.one.purge(Duration.ofDays(1), 100);
            }

            assertThat(purged).isGreaterThanOrEqualTo(1);
            assertThat(claimed(fixture.one, fixture.at("still", 0, 1), fixture.at("old", 1, 3)))
                    .containsExactly(Status.DUPLICATE, Status.GRANTED);
        }
    }

    @Test
    @Tag("rule-4.7")
    void isPurgedInAllPartitionsByOneRun() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2);
                Purger purger = Purger.of(fixture.one).build()) {
            claimed(fixture.one, fixture.at("a", 0, 1), fixture.at("b", 1, 1));
            // more than the retention of the journal, and less than that of a table
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("c", 0, 2), fixture.at("d", 1, 2));

            purger.runOnce();

            assertThat(claimed(fixture.one, fixture.at("a", 0, 3), fixture.at("b", 1, 3)))
                    .containsExactly(Status.GRANTED, Status.GRANTED);
        }
    }

    @Test
    @Tag("rule-5.6")
    @Tag("rule-8.12")
    void letsOnlyThePartitionStandStillWhoseOffsetsItHasForgotten() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            Delivery forgotten = fixture.at("old", 0, 7);
            forget(fixture, forgotten);
            List<Delivery> handled = new ArrayList<>();
            IdempotentConsumer<Delivery> consumer = fixture.consumer(fixture.one);

            BatchResult result = consumer.consumeAll(
                    List.of(forgotten, fixture.at("b", 1, 0), fixture.at("c", 2, 0)),
                    (delivery, claim) -> handled.add(delivery));

            assertThat(result.outcomes()).containsExactly(Outcome.RELEASED, Outcome.PROCESSED, Outcome.PROCESSED);
            assertThat(handled).containsExactly(fixture.at("b", 1, 0), fixture.at("c", 2, 0));
            assertThat(result.stops())
                    .singleElement()
                    .satisfies(stop -> assertThat(stop.cause())
                            .hasValueSatisfying(cause -> assertThat(cause)
                                    .hasMessageStartingWith("The store refuses " + forgotten)
                                    .hasMessageContaining("has forgotten offsets up to")
                                    .cause()
                                    .isInstanceOfSatisfying(
                                            StandStillException.class,
                                            still -> assertThat(still.reason())
                                                    .isEqualTo("offsets of orders-0 were set back to 7;"
                                                            + " nothing up to 7 is remembered"))));
        }
    }

    /** Processes a delivery, and purges it. */
    static void forget(JournalFixture fixture, Delivery delivery) {
        claimed(fixture.one, delivery);
        TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
        fixture.one.forgetWindows();
        claimed(
                fixture.one,
                fixture.at(
                        "new",
                        delivery.position().partition(),
                        delivery.position().offset() + 1));
        while (fixture.one.purge(Duration.ofDays(1), 100) > 0) {
            // the rest
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-4.7")
    void doesNotJudgeWhatIsOlderThanItRemembers(Unjudged choice) {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.unjudged(choice))) {
            forget(fixture, fixture.at("old", 0, 7));

            for (JournalStore store : List.of(fixture.one, fixture.other)) {
                if (choice == Unjudged.REFUSE) {
                    assertThatThrownBy(() -> claimed(store, fixture.at("old", 0, 7)))
                            .isInstanceOf(IdempotencyException.class)
                            .hasMessageContaining("orders-0@7");
                } else if (choice == Unjudged.SKIP) {
                    assertThat(claimed(store, fixture.at("old", 0, 7))).containsExactly(Status.DUPLICATE);
                }
                assertThat(claimed(store, fixture.at("new", 0, 8))).containsExactly(Status.DUPLICATE);
            }
            if (choice == Unjudged.PROCESS) {
                assertThat(claimed(fixture.other, fixture.at("old", 0, 7))).containsExactly(Status.GRANTED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.7")
    void doesNotTakeASkippedCopyForNewWhenItsMessageWasPurged(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database, settings -> settings.unjudged(Unjudged.SKIP))) {
            claimed(fixture.one, fixture.at("m", 0, 7));
            assertThat(claimed(fixture.one, fixture.at("m", 0, 9))).containsExactly(Status.DUPLICATE);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("new", 0, 20));
            while (fixture.one.purge(Duration.ofDays(1), 100) > 0) {
                // the rest
            }

            for (JournalStore store : List.of(fixture.one, fixture.other)) {
                assertThat(claimed(store, fixture.at("m", 0, 9))).containsExactly(Status.DUPLICATE);
            }
        }
    }

    @Test
    @Tag("rule-4.8")
    void createsHeadsInATransactionOfTheirOwn() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.MARIADB)) {
            Delivery[] deliveries = {fixture.at("a", 0, 1), fixture.at("b", 1, 1)};
            fixture.one.prepare(List.of(deliveries));

            assertThat(fixture.versions()).containsExactly(0, 0);
        }
    }

    @Test
    @Tag("rule-4.9")
    void saysHowMuchMemoryItNeeds() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.memory(1))) {
            claimed(fixture.other, fixture.at("a", 0, 1));

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("b", 0, 2)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("memory");
        }
    }

    @Test
    @Tag("rule-4.9")
    void forgetsBeforeTheTimeOnlyIfToldTo() {
        try (JournalFixture fixture = new JournalFixture(
                TestDatabase.H2,
                settings -> settings.memory(1).forgetOldestIfFull().unjudged(Unjudged.PROCESS))) {
            claimed(fixture.other, fixture.at("a", 0, 1));

            assertThat(claimed(fixture.one, fixture.at("a", 0, 1))).containsExactly(Status.GRANTED);
        }
    }

    @Test
    @Tag("rule-8.1")
    void keepsToItsMemoryAtEachClaimAndWhenItIsReadAnew() {
        long most = 1 << 20;
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.memory(most))) {
            int refused = 0;
            for (int round = 0; round < 150; round++) {
                Delivery[] poll = poll(fixture, "m" + round + "-", round * 50);
                try {
                    claimed(fixture.one, poll);
                    assertThat(refused).as("accepted after it was refused").isZero();
                } catch (IdempotencyException e) {
                    assertThat(e).hasMessageContaining("2 MB of memory").hasMessageContaining("take 1 MB");
                    refused++;
                }
                assertThat(fixture.one.memoryBytes()).isLessThan(most + most / 4);
            }
            assertThat(refused).isBetween(1, 149);

            JournalStore restarted = fixture.store(settings -> settings.memory(most / 4));
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> claimed(restarted, poll(fixture, "new-", 100_000)))
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageContaining("memory");
                assertThat(restarted.memoryBytes()).isLessThan(most / 4 + most / 8);
            }
        }
    }

    @Test
    @Tag("rule-8.2")
    void makesRoomByTheJournalsOfPartitionsThatWereLeft() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.memory(1 << 20))) {
            fill(fixture, fixture.one, 0, 60);
            fill(fixture, fixture.other, 1, 60);
            Delivery copy = fixture.at("p1-0-0", 1, 0);
            assertThatThrownBy(() -> claimed(fixture.one, copy)).isInstanceOf(IdempotencyException.class);

            fixture.one.leave(copy.id().consumer(), "orders", 0);

            assertThat(claimed(fixture.one, copy)).containsExactly(Status.DUPLICATE);
            assertThat(fixture.one.memoryBytes()).isLessThan(1 << 20);
        }
    }

    private static void fill(JournalFixture fixture, JournalStore store, int partition, int polls) {
        for (int i = 0; i < polls; i++) {
            int round = i;
            claimed(
                    store,
                    IntStream.range(0, 500)
                            .mapToObj(j ->
                                    fixture.at("p" + partition + "-" + round + "-" + j, partition, round * 500L + j))
                            .toArray(Delivery[]::new));
        }
    }

    @Test
    @Tag("rule-8.3")
    void forgetsLastWhatWasHandledLast() {
        try (JournalFixture fixture = new JournalFixture(
                TestDatabase.H2, settings -> settings.memory(1 << 20).forgetOldestIfFull())) {
            fill(fixture, fixture.one, 1, 1);
            fill(fixture, fixture.one, 0, 150);

            assertThat(fixture.one.memoryBytes()).isBetween(1L << 18, 1L << 20);
            for (JournalStore store : List.of(fixture.one, fixture.other)) {
                assertThat(claimed(
                                store, fixture.at("p0-149-499", 0, 149 * 500 + 499), fixture.at("p0-140-0", 0, 70_000)))
                        .containsOnly(Status.DUPLICATE);
                assertThatThrownBy(() -> claimed(store, fixture.at("p0-0-0", 0, 0)))
                        .hasMessageContaining("Nobody can tell whether");
            }
            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("p1-0-0", 1, 0)))
                    .as("older than anything of the other partition")
                    .hasMessageContaining("Nobody can tell whether");
        }
    }

    /** A copy that was skipped leaves no entry. */
    @Test
    @Tag("rule-8.3")
    void doesNotTakeASkippedCopyForNewWhenItsMessageWasForgottenBeforeItsTime() {
        try (JournalFixture fixture = new JournalFixture(
                TestDatabase.H2,
                settings -> settings.memory(1 << 20).forgetOldestIfFull().unjudged(Unjudged.SKIP))) {
            fill(fixture, fixture.one, 0, 1);
            assertThat(claimed(fixture.one, fixture.at("p0-0-7", 0, 600))).containsExactly(Status.DUPLICATE);
            for (int i = 2; i < 150; i++) {
                int round = i;
                claimed(
                        fixture.one,
                        IntStream.range(0, 500)
                                .mapToObj(j -> fixture.at("p0-" + round + "-" + j, 0, round * 500L + j))
                                .toArray(Delivery[]::new));
            }

            assertThat(claimed(fixture.one, fixture.at("p0-0-7", 0, 600))).containsExactly(Status.DUPLICATE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-8.4")
    void forgetsNothingThatAnotherApplicationRemembersLonger(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            claimed(fixture.one, fixture.at("m", 0, 1));
            fixture.one.purge(Duration.ofDays(1), 100);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofMinutes(1));
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("new", 0, 2));

            purgeAll(fixture.other, Duration.ofSeconds(15));

            assertThat(claimed(fixture.other, fixture.at("m", 0, 3))).containsExactly(Status.DUPLICATE);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(2));
            fixture.other.forgetWindows();
            claimed(fixture.other, fixture.at("newer", 0, 4));

            purgeAll(fixture.store(settings -> settings), Duration.ofSeconds(15));

            fixture.other.forgetWindows();
            assertThat(claimed(fixture.other, fixture.at("m", 0, 5))).containsExactly(Status.GRANTED);
        }
    }

    private static void purgeAll(JournalStore store, Duration olderThan) {
        while (store.purge(olderThan, 1000) > 0) {
            // the rest
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-8.6")
    void purgesOneJournalAfterTheOther(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            for (int partition = 0; partition < 3; partition++) {
                claimed(fixture.one, fixture.at("old" + partition, partition, 1));
            }
            nextWeek(fixture);
            for (int partition = 0; partition < 3; partition++) {
                claimed(fixture.one, fixture.at("new" + partition, partition, 2));
            }
            purgeUntil(fixture, List.of(1, 0, 0));
            nextWeek(fixture);
            claimed(fixture.one, fixture.at("newer", 0, 3));

            purgeUntil(fixture, List.of(1, 1, 0));
            purgeUntil(fixture, List.of(1, 1, 1));
            purgeUntil(fixture, List.of(2, 1, 1));
        }
    }

    /** Others have journals in these tables, too. */
    private static void purgeUntil(JournalFixture fixture, List<Integer> horizons) {
        List<Integer> before = fixture.horizons();
        while (fixture.horizons().equals(before)) {
            assertThat(fixture.one.purge(Duration.ofDays(1), 100)).isPositive();
        }
        assertThat(fixture.horizons()).isEqualTo(horizons);
    }

    private static void nextWeek(JournalFixture fixture) {
        TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
        fixture.one.forgetWindows();
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-8.7")
    void isNotMisledByAClockThatWasAhead(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database, settings -> settings.unjudged(Unjudged.PROCESS))) {
            claimed(fixture.one, fixture.at("young", 0, 1));
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofHours(12));
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("ahead", 0, 2));
            long fiveDays = Duration.ofDays(5).toNanos() / 1000;
            fixture.corrupt("journal", "at_micros = at_micros + " + fiveDays);
            fixture.corrupt("segment", "at_micros = at_micros + case version when 2 then " + fiveDays + " else 0 end");
            claimed(fixture.one, fixture.at("behind", 0, 3));

            purgeAll(fixture.one, Duration.ofDays(1));

            assertThat(claimed(fixture.other, fixture.at("young", 0, 1), fixture.at("behind", 0, 3)))
                    .containsOnly(Status.DUPLICATE);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(2));
            claimed(fixture.one, fixture.at("new", 0, 4));

            purgeAll(fixture.one, Duration.ofDays(1));

            fixture.other.forgetWindows();
            assertThat(claimed(
                            fixture.other,
                            fixture.at("young", 0, 5),
                            fixture.at("ahead", 0, 6),
                            fixture.at("new", 0, 7)))
                    .containsExactly(Status.GRANTED, Status.GRANTED, Status.DUPLICATE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-8.5")
    void forgetsAJournalToWhichNobodyHasAppendedForAMonthAndItsRetention(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            claimed(fixture.one, fixture.at("a", 0, 1), fixture.at("b", 0, 2));
            fixture.one.purge(Duration.ofDays(1), 100);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(30));
            purgeAll(fixture.other, Duration.ofDays(1));
            fixture.one.forgetWindows();
            assertThat(claimed(fixture.one, fixture.at("b", 0, 2))).containsExactly(Status.DUPLICATE);
            TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(2));

            purgeAll(fixture.other, Duration.ofDays(1));

            assertThat(fixture.segments()).isZero();
            for (JournalStore store : List.of(fixture.one, fixture.other)) {
                store.forgetWindows();
                assertThatThrownBy(() -> claimed(store, fixture.at("b", 0, 2)))
                        .hasMessageContaining("Nobody can tell whether");
                assertThat(claimed(store, fixture.at("new" + store.hashCode(), 0, 3)))
                        .containsExactly(Status.GRANTED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.6")
    void tellsOtherProcessesWhatWasForgotten(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database, settings -> settings.revalidation(Duration.ZERO))) {
            claimed(fixture.one, fixture.at("m", 0, 1));
            assertThat(claimed(fixture.other, fixture.at("m", 0, 1))).containsExactly(Status.DUPLICATE);

            fixture.one.forget(fixture.at("m", 0, 1).id());

            assertThat(claimed(fixture.other, fixture.at("m", 0, 2))).containsExactly(Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.11")
    void looksAtTheJournalsOfItsDuplicatesAlsoWhileAnotherPartitionHasSomethingNew(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database, settings -> settings.revalidation(Duration.ZERO))) {
            claimed(fixture.one, fixture.at("m", 0, 1));
            claimed(fixture.other, fixture.at("m", 0, 1));

            fixture.one.forget(fixture.at("m", 0, 1).id());

            assertThat(claimed(fixture.other, fixture.at("new", 1, 1), fixture.at("m", 0, 2)))
                    .containsExactly(Status.GRANTED, Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.12")
    void keepsWhatItsTransactionAppendedThroughAnotherStoreOutOfItsWindows(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore one = fixture.one;
            JournalStore other = fixture.another();
            claimed(one, fixture.at("known", 0, 1));
            claimed(other, fixture.at("known", 0, 1));

            assertThatThrownBy(() -> one.transactions().inTransaction(() -> {
                        one.claim(List.of(fixture.at("mine", 0, 2)));
                        assertThat(other.claim(List.of(fixture.at("mine", 0, 3), fixture.at("yours", 0, 4))))
                                .extracting(Claim::status)
                                .containsExactly(Status.DUPLICATE, Status.GRANTED);
                        assertThat(one.claim(List.of(fixture.at("yours", 0, 5), fixture.at("more", 0, 6))))
                                .extracting(Claim::status)
                                .containsExactly(Status.DUPLICATE, Status.GRANTED);
                        throw new IllegalStateException("roll back");
                    }))
                    .hasMessage("roll back");

            for (String id : List.of("mine", "yours", "more")) {
                assertThat(claimed(other, fixture.at(id, 0, 7))).containsExactly(Status.GRANTED);
                assertThat(claimed(one, fixture.at(id, 0, 8))).containsExactly(Status.DUPLICATE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.12")
    void doesNotReadWhatItsTransactionAppendedThroughAnotherStoreIntoANewWindow(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore one = fixture.one;
            JournalStore other = fixture.another();
            claimed(one, fixture.at("known", 0, 1));

            assertThatThrownBy(() -> one.transactions().inTransaction(() -> {
                        one.claim(List.of(fixture.at("mine", 0, 2)));
                        assertThat(other.claim(List.of(fixture.at("mine", 0, 3))))
                                .extracting(Claim::status)
                                .containsExactly(Status.DUPLICATE);
                        throw new IllegalStateException("roll back");
                    }))
                    .hasMessage("roll back");

            assertThat(claimed(other, fixture.at("mine", 0, 4))).containsExactly(Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.12")
    void commitsWhatTwoStoresAppendedInOneTransaction(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore one = fixture.one;
            JournalStore other = fixture.another();
            claimed(one, fixture.at("known", 0, 1));
            claimed(other, fixture.at("known", 0, 1));

            one.transactions().inTransaction(() -> {
                one.claim(List.of(fixture.at("mine", 0, 2)));
                other.claim(List.of(fixture.at("yours", 0, 3)));
                other.forget(fixture.at("known", 0, 1).id());
                one.claim(List.of(fixture.at("more", 0, 4)));
            });

            for (JournalStore store : List.of(one, other)) {
                assertThat(claimed(
                                store, fixture.at("mine", 0, 5), fixture.at("yours", 0, 6), fixture.at("more", 0, 7)))
                        .containsOnly(Status.DUPLICATE);
            }
            assertThat(claimed(other, fixture.at("known", 0, 8))).containsExactly(Status.GRANTED);
        }
    }

    /** Then MariaDB does not count unchanged rows, so one store must not settle the rows of another again. */
    @Test
    @Tag("rule-4.12")
    void commitsItWhereTheDriverCountsOnlyChanges() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.MARIADB);
                HikariDataSource pool = TestDatabase.MARIADB.pool(
                        2, config -> config.addDataSourceProperty("useAffectedRows", "true"))) {
            JournalStore one = store(pool);
            JournalStore other = store(pool);

            one.transactions().inTransaction(() -> {
                one.claim(List.of(fixture.at("mine", 0, 2)));
                other.claim(List.of(fixture.at("yours", 0, 3)));
                one.claim(List.of(fixture.at("more", 0, 4)));
            });

            assertThat(claimed(
                            fixture.one, fixture.at("mine", 0, 5), fixture.at("yours", 0, 6), fixture.at("more", 0, 7)))
                    .containsOnly(Status.DUPLICATE);
        }
    }

    private static JournalStore store(HikariDataSource pool) {
        return JournalStore.builder(pool).tablePrefix(JournalFixture.PREFIX).build();
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.2")
    void knowsBehindAnEntryOfItsOwnWhatAnotherProcessAppendedBefore(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            JournalStore store = fixture.one;
            claimed(store, fixture.at("known", 0, 1));
            claimed(fixture.other, fixture.at("others", 0, 2));

            store.transactions().inTransaction(() -> {
                store.forget(fixture.at("known", 0, 1).id());
                assertThat(store.claim(List.of(fixture.at("others", 0, 3))))
                        .extracting(Claim::status)
                        .containsExactly(Status.DUPLICATE);
            });
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "H2"})
    @Tag("rule-4.13")
    void readsNothingUncommittedIntoAWindow(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database);
                HikariDataSource pool =
                        database.pool(1, config -> config.setTransactionIsolation("TRANSACTION_READ_UNCOMMITTED"))) {
            JournalStore dirty = JournalStore.builder(pool)
                    .tablePrefix(JournalFixture.PREFIX)
                    .revalidation(Duration.ZERO)
                    .build();
            Delivery known = fixture.at("known", 0, 1);
            claimed(fixture.one, known);
            dirty.prepare(List.of(known));

            fixture.one.transactions().inTransaction(() -> {
                fixture.one.claim(List.of(fixture.at("m", 0, 2)));
                CompletableFuture<List<Status>> copy = CompletableFuture.supplyAsync(() -> claimed(dirty, known));
                assertThatThrownBy(copy::join)
                        .cause()
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageContaining("READ UNCOMMITTED");
            });
        }
    }
}
