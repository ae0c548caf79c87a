package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** Rules of claiming that the contracts cannot see from outside. */
class ClaimRulesTest {

    private final String id = "m-" + UUID.randomUUID();

    /** The one manager tells an unknown outcome, the other a rollback that it believes in. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("rule-1.2")
    void doesNotActAfterACommitWhoseOutcomeIsUnknown(boolean isTold) {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            CutConnections cut = new CutConnections(fixture.dataSource);
            TableStore store = TableStore.builder(cut)
                    .tablePrefix(Fixture.PREFIX)
                    .transactionManager(
                            isTold ? new DataSourceTransactionManager(cut) : new JdbcTransactionManager(cut))
                    .build();
            List<String> afterCommit = new ArrayList<>();

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        store.claim(List.of(fixture.at(id, 1)));
                        store.transactions().afterCommit(() -> afterCommit.add("ran"));
                        cut.cutAtCommit();
                    }))
                    .matches(store.transactions()::isTransient, "is transient");

            assertThat(afterCommit).isEmpty();
            assertThat(fixture.isProcessed(id)).as("the commit came through").isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-1.5")
    void needsNoSecondConnectionInsideATransaction(TestDatabase database) {
        HikariDataSource one = database.pool(2);
        try (Fixture fixture = Fixture.on(one)) {
            one.getHikariConfigMXBean().setMaximumPoolSize(1);
            one.getHikariConfigMXBean().setConnectionTimeout(1000);
            one.getHikariPoolMXBean().softEvictConnections();
            JdbcQuarantine quarantine = JdbcQuarantine.on(one).tablePrefix(Fixture.PREFIX);

            fixture.transactions.inTransaction(() -> {
                Claim claim = fixture.claim(id);
                fixture.store.quarantine(claim);
                quarantine.save(new QuarantinedMessage(
                        claim.delivery(),
                        Payload.none(Payload.Origin.POSITION_ONLY),
                        new QuarantineFailure("why\0", "none", "why\0"),
                        1));
                assertThat(fixture.store.find(claim.delivery().id())).isPresent();
                fixture.store.unquarantine(claim.delivery());
                fixture.store.forget(claim.delivery().id());
                fixture.claim(id + "-again");
            });

            assertThat(fixture.isProcessed(id + "-again")).isTrue();
        }
    }

    @Test
    @Tag("rule-1.5")
    void refusesToClaimInATransactionOnOtherData() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2);
                HikariDataSource other = TestDatabase.HSQLDB.pool(1)) {
            new TransactionTemplate(new JdbcTransactionManager(other)).executeWithoutResult(status -> {
                assertThatThrownBy(() -> fixture.claim(id))
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageContaining("data source");
                // This binds an auto-commit connection of the store's data source to the foreign transaction.
                fixture.jdbc.queryForObject("select 1", Integer.class);
                assertThatThrownBy(() -> fixture.claim(id))
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageContaining("data source");
            });
            assertThat(fixture.isProcessed(id)).isFalse();
        }
    }

    @Test
    @Tag("rule-1.1")
    void refusesACommitAfterAFailedClaimWasSwallowed() throws Exception {
        try (Fixture fixture = Fixture.on(TestDatabase.MARIADB)) {
            CountDownLatch claimed = new CountDownLatch(1);
            CountDownLatch tried = new CountDownLatch(1);
            CompletableFuture<Void> first = CompletableFuture.runAsync(() -> fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                claimed.countDown();
                await(tried);
            }));
            await(claimed);

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id + "-before");
                        assertThatThrownBy(() -> fixture.claim(id)).isInstanceOf(TransientStoreException.class);
                        tried.countDown();
                    }))
                    .isInstanceOf(TransactionLostException.class);
            first.get(30, TimeUnit.SECONDS);

            assertThat(fixture.isProcessed(id + "-before")).isFalse();
        }
    }

    @Test
    @Tag("rule-3.2")
    void claimsFiveHundredNewMessagesInOneStatementAndProvesThemInAnother() {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            CountedStatements counted = new CountedStatements(fixture.dataSource);
            TableStore store =
                    TableStore.builder(counted).tablePrefix(Fixture.PREFIX).build();
            store.transactions().inTransaction(() -> store.claim(List.of(fixture.at(id, 1))));
            store.transactions().inTransaction(() -> store.claim(List.of(fixture.at(id, 1))));

            store.transactions().inTransaction(() -> {
                counted.reset();
                store.claim(inARow(fixture, 500));
                assertThat(counted.statements()).hasSize(1);
            });
            assertThat(counted.statements()).as("with the proof").hasSize(2);

            store.transactions().inTransaction(() -> {
                counted.reset();
                store.claim(inARow(fixture, 501));
                assertThat(counted.statements()).as("some are known").hasSize(2);
            });

            store.transactions().inTransaction(() -> {
                counted.reset();
                store.claim(List.of(fixture.at(id + "-single", 1_000)));
                assertThat(counted.statements()).as("a single one").hasSize(1);
                counted.reset();
                store.claim(List.of(fixture.at(id + "-single", 1_000)));
                assertThat(counted.statements())
                        .as("a single one that is known")
                        .hasSize(3);
            });
        }
    }

    /** Behind the message at offset 1. */
    private List<Delivery> inARow(Fixture fixture, int messages) {
        return IntStream.range(0, messages)
                .mapToObj(i -> fixture.at(id + i, 2 + i))
                .toList();
    }

    @Test
    @Tag("rule-3.5")
    void doesNotTakeAnotherAttemptWithTheSameEndForTheOwner() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            Claim lease = fixture.store
                    .lease(List.of(fixture.at(id, 1)), Duration.ofMinutes(1))
                    .get(0);
            Claim other = Claim.leased(lease.delivery(), 2, 0, lease.until());

            assertThatThrownBy(() -> fixture.store.complete(List.of(other))).isInstanceOf(ClaimLostException.class);
            fixture.store.complete(List.of(lease));

            assertThatThrownBy(() -> fixture.store.complete(List.of(other))).isInstanceOf(ClaimLostException.class);
        }
    }

    /** The seal has few bits; this end differs in one that it shows. */
    @Test
    @Tag("rule-3.5")
    void doesNotTakeTheCompletionOfAnotherLeaseOfTheSameAttemptForItsOwn() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            Claim lease = fixture.store
                    .lease(List.of(fixture.at(id, 1)), Duration.ofMinutes(1))
                    .get(0);
            fixture.store.complete(List.of(lease));
            Instant completed =
                    fixture.store.find(lease.delivery().id()).orElseThrow().at();
            long left = ChronoUnit.MICROS.between(completed, lease.until());
            Claim other = Claim.leased(lease.delivery(), 1, 0, completed.plus(left ^ 1, ChronoUnit.MICROS));

            assertThatThrownBy(() -> fixture.store.complete(List.of(other))).isInstanceOf(ClaimLostException.class);
            fixture.store.complete(List.of(lease));
        }
    }

    @Test
    @Tag("rule-4.3")
    void refusesReadUncommitted() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            TransactionTemplate dirty = new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource));
            dirty.setIsolationLevel(TransactionDefinition.ISOLATION_READ_UNCOMMITTED);

            assertThatThrownBy(() -> dirty.executeWithoutResult(status -> fixture.claim(id)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("READ UNCOMMITTED");
        }
    }

    private static final String READ_UNCOMMITTED = "TRANSACTION_READ_UNCOMMITTED";

    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "H2"})
    @Tag("rule-4.13")
    void refusesReadUncommittedThatThePoolOrTheSessionHas(TestDatabase database) {
        // In the order of the keys, the insert meets the duplicate before it would wait for the message in progress.
        String known = "01900000-0000-7000-8000-000000000001";
        String later = "01900000-0000-7000-8000-000000000002";
        String setting = database == TestDatabase.H2
                ? "set session characteristics as transaction isolation level read uncommitted"
                : "set session transaction isolation level read uncommitted";
        try (Fixture fixture = Fixture.on(database);
                HikariDataSource ofPool = database.pool(1, config -> config.setTransactionIsolation(READ_UNCOMMITTED));
                HikariDataSource ofSession = database.pool(1, config -> config.setConnectionInitSql(setting));
                HikariDataSource late = database.pool(1)) {
            fixture.claimed(known);
            for (HikariDataSource pool : List.of(ofPool, ofSession, late)) {
                TableStore store = TableStore.builder(pool)
                        .tablePrefix(Fixture.PREFIX)
                        .claimTimeout(Duration.ofSeconds(1))
                        .build();
                if (pool == late) {
                    store.transactions().inTransaction(() -> store.claim(List.of(fixture.at("others", 1))));
                    TestDatabase.execute(pool, setting);
                }
                fixture.transactions.inTransaction(() -> {
                    fixture.claim(later);
                    CompletableFuture<Void> copy = CompletableFuture.runAsync(() -> store.transactions()
                            .inTransaction(() -> store.claim(List.of(fixture.at(known, 1), fixture.at(later, 2)))));
                    assertThatThrownBy(copy::join)
                            .cause()
                            .isInstanceOf(IdempotencyException.class)
                            .hasMessageContaining("READ UNCOMMITTED");
                });
                fixture.store.forget(fixture.at(later, 1).id());
            }
        }
    }

    @Test
    @Tag("rule-1.4")
    void saysThatADatabaseThatIsDownIsTransient() {
        SingleConnectionDataSource down =
                new SingleConnectionDataSource("jdbc:postgresql://localhost:1/none?connectTimeout=1", true);
        TableStore store = TableStore.on(down);

        assertThatThrownBy(() -> store.transactions().inTransaction(() -> store.claim(List.of())))
                .matches(store.transactions()::isTransient, "is transient");
        assertThatThrownBy(() -> store.lease(List.of(), Duration.ofSeconds(1)))
                .isInstanceOf(TransientStoreException.class);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
