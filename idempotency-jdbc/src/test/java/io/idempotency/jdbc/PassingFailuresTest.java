package io.idempotency.jdbc;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.BatchResult;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageHandler;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Failures of real databases: which of them pass. */
class PassingFailuresTest {

    private final String id = "m-" + UUID.randomUUID();

    private static IdempotentConsumerBuilder<String> consumer(Fixture fixture) {
        return IdempotentConsumer.<String>named(fixture.consumer)
                .store(fixture.store)
                .quarantine(JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX))
                .failures(FailurePolicy.quarantineAfter(1))
                .messageId(Optional::of);
    }

    private static BatchResult consume(Fixture fixture, String message, MessageHandler<String> handler) {
        try (IdempotentConsumer<String> consumer = consumer(fixture).build()) {
            return consumer.consumeAll(List.of(message), handler);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, set default_transaction_read_only = on",
        "MARIADB, set session transaction read only",
    })
    @Tag("rule-7.2")
    void aServerThatTakesNoWritesForAWhile(TestDatabase database, String readOnly) {
        try (Fixture fixture = Fixture.on(database);
                HikariDataSource closed = database.pool(2, config -> config.setConnectionInitSql(readOnly))) {
            TableStore store =
                    TableStore.builder(closed).tablePrefix(Fixture.PREFIX).build();

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> store.claim(List.of(fixture.at(id, 1)))))
                    .isInstanceOf(TransientStoreException.class);
            assertThat(consume(fixture, id, (message, claim) -> fixture.handle("insert into rules_effects values (1)"))
                            .outcomes())
                    .as("a table that is not there is the message's, or the handler's")
                    .containsExactly(QUARANTINED);
            assertThat(consume(
                                    fixture,
                                    id + "-2",
                                    (message, claim) ->
                                            TestDatabase.execute(closed, "update rules_message set place = place"))
                            .outcomes())
                    .containsExactly(RELEASED);
        }
    }

    /** The number of read_only, by an option that nobody can be exempt from. */
    @Test
    @Tag("rule-7.2")
    void anOptionOfMariaDbThatForbidsTheStatement() {
        try (Fixture fixture = Fixture.on(TestDatabase.MARIADB)) {
            assertThat(consume(
                                    fixture,
                                    id,
                                    (message, claim) -> TestDatabase.execute(
                                            fixture.dataSource, "select 1 into outfile '/elsewhere'"))
                            .outcomes())
                    .containsExactly(RELEASED);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, set statement_timeout = 200",
        "MARIADB, set max_statement_time = 0.2",
        "H2, set query_timeout 200"
    })
    @Tag("rule-7.2")
    void aStatementThatIsEndedByItsTimeLimit(TestDatabase database, String limit) {
        try (Fixture fixture = Fixture.on(database);
                HikariDataSource limited = database.pool(2, config -> config.setConnectionInitSql(limit))) {
            TableStore store =
                    TableStore.builder(limited).tablePrefix(Fixture.PREFIX).build();

            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                CompletableFuture.runAsync(() -> assertThatThrownBy(() -> store.transactions()
                                        .inTransaction(() -> store.claim(List.of(fixture.at(id, 1)))))
                                .isInstanceOf(TransientStoreException.class))
                        .join();
            });
            String slow = switch (database) {
                case POSTGRESQL -> "select pg_sleep(60)";
                case MARIADB -> "select sleep(60)";
                default -> "select count(*) from system_range(1, 1000000) a, system_range(1, 1000000) b";
            };
            assertThat(consume(fixture, id + "-2", (message, claim) -> TestDatabase.execute(limited, slow))
                            .outcomes())
                    .containsExactly(RELEASED);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"45000", "44000", "24000", "75001", "99999"})
    @Tag("rule-7.2")
    void notTheSignalOfATriggerOnMariaDb(String state) {
        try (Fixture fixture = Fixture.on(TestDatabase.MARIADB)) {
            assertThat(consume(fixture, id, (message, claim) -> fixture.handle("signal sqlstate '" + state + "'"))
                            .outcomes())
                    .containsExactly(QUARANTINED);
        }
    }

    /**
     * Imitates a database at a deadlock, and MariaDB at a lock timeout under innodb_rollback_on_timeout: the transaction is
     * rolled back, and the handler that caught the error goes on in another one.
     */
    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "H2"})
    @Tag("rule-7.7")
    void aTransactionThatWasRolledBackBehindAHandlerThatGoesOn(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            assertThat(consume(fixture, id, (message, claim) -> fixture.handle("rollback"))
                            .outcomes())
                    .containsExactly(RELEASED);
            assertThat(consume(fixture, id, (message, claim) -> {}).outcomes()).containsExactly(PROCESSED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "H2"})
    @Tag("rule-7.8")
    void moreThan256AttemptsUnderLeases(TestDatabase database) {
        AtomicInteger calls = new AtomicInteger();
        try (Fixture fixture = Fixture.on(database);
                IdempotentConsumer<String> consumer = consumer(fixture)
                        .level(ConsistencyLevel.AT_LEAST_ONCE)
                        .failures(FailurePolicy.quarantineAfter(300).backOff(Duration.ZERO, Duration.ZERO))
                        .build()) {
            BatchResult result;
            do {
                result = consumer.consumeAll(List.of(id), (message, claim) -> {
                    calls.incrementAndGet();
                    throw new IllegalStateException("poison");
                });
            } while (!result.isSettled() && calls.get() < 400);

            assertThat(calls).hasValue(300);
            assertThat(JdbcQuarantine.on(fixture.dataSource)
                            .tablePrefix(Fixture.PREFIX)
                            .find(fixture.at(id, 1).id())
                            .orElseThrow()
                            .message()
                            .attempts())
                    .isEqualTo(300);
        }
    }
}
