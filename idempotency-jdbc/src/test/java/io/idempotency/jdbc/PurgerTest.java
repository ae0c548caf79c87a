package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("rule-3.9")
class PurgerTest {

    private final String prefix = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource
    void purgesInBatchesUntilNothingOldIsLeft(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database);
                Purger purger = Purger.of(fixture.store).batchSize(10).build()) {
            fixture.transactions.inTransaction(() -> fixture.store.claim(fixture.inARow(prefix, 35)));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            fixture.claimed(prefix + "-young");

            assertThat(purger.runOnce()).isGreaterThanOrEqualTo(35);

            assertThat(fixture.isProcessed(prefix + "0")).isFalse();
            assertThat(fixture.isProcessed(prefix + "-young")).isTrue();
            assertThat(purger.runOnce()).isZero();
        }
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
            CompletableFuture<Integer> purging = CompletableFuture.supplyAsync(() -> {
                int forgotten = 0;
                while (!stop.get()) {
                    forgotten += fixture.store.purge(Duration.ofDays(8), 100);
                }
                return forgotten;
            });
            for (int round = 0; round < 30; round++) {
                List<Delivery> deliveries = fixture.inARow(prefix + "-" + round + "-", 50);
                fixture.transactions.inTransaction(
                        () -> assertThat(fixture.store.claim(deliveries)).allMatch(Claim::isGranted));
                fixture.jdbc.update(
                        "update rules_message set at_micros = 1 where record_offset >= 25 and state >= ?",
                        State.FIRST_SETTLED);
            }
            await().until(() -> fixture.jdbc
                    .queryForList("select place from rules_message where at_micros = 1")
                    .isEmpty());
            stop.set(true);

            assertThat(purging.get(30, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(30 * 25);
            assertThat(fixture.isProcessed(prefix + "-7-24")).isTrue();
            assertThat(fixture.isProcessed(prefix + "-7-25")).isFalse();
        }
    }
}
