package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageHandler;
import io.idempotency.Outcome;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Messages that are consumed while a transaction is active that may not be the store's. If the store began another one inside, the outer one
 * could roll back alone, and the message would be skipped when it comes again.
 */
@Tag("rule-1.5")
class OtherTransactionTest {

    private static HikariDataSource pool;
    private static HikariDataSource manual;
    private static HikariDataSource other;
    private final String message = UUID.randomUUID().toString();
    private final List<String> effects = new ArrayList<>();

    @BeforeAll
    static void open() {
        pool = TestDatabase.POSTGRESQL.pool(4);
        manual = TestDatabase.POSTGRESQL.pool(4, config -> config.setAutoCommit(false));
        other = TestDatabase.H2.pool(4);
        Schema.on(pool).tablePrefix("mixed_").migrate();
    }

    @AfterAll
    static void close() {
        pool.close();
        manual.close();
        other.close();
    }

    private static TableStore store(DataSource dataSource) {
        return TableStore.builder(dataSource).tablePrefix("mixed_").build();
    }

    private static TransactionTemplate transaction(DataSource dataSource) {
        return new TransactionTemplate(new JdbcTransactionManager(dataSource));
    }

    private static IdempotentConsumerBuilder<String> consumer(DataSource dataSource) {
        return IdempotentConsumer.<String>named("billing")
                .store(store(dataSource))
                .messageId(Optional::of);
    }

    private Outcome consume(IdempotentConsumer<String> consumer) {
        return consumer.consume(message, (each, claim) -> effects.add(each));
    }

    private boolean isKnown() {
        return consumer(pool).build().find(message).isPresent();
    }

    /** Consumes within a transaction that is rolled back, then again. */
    private void requireJoined(DataSource ofTheStore, DataSource ofTheManager) {
        IdempotentConsumer<String> consumer = consumer(ofTheStore).build();

        transaction(ofTheManager).executeWithoutResult(status -> {
            assertThat(consume(consumer)).isEqualTo(Outcome.PROCESSED);
            status.setRollbackOnly();
        });
        assertThat(isKnown()).isFalse();

        assertThat(transaction(ofTheManager).<Outcome>execute(status -> consume(consumer)))
                .isEqualTo(Outcome.PROCESSED);
        assertThat(isKnown()).isTrue();
    }

    private void requireRefused(DataSource ofTheStore, DataSource ofTheManager) {
        IdempotentConsumer<String> consumer = consumer(ofTheStore).build();

        transaction(ofTheManager).executeWithoutResult(status -> {
            assertThatThrownBy(() -> consume(consumer))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("not one on the data source of the idempotency tables")
                    .hasMessageContaining("transaction manager for this very data source");
            status.setRollbackOnly();
        });

        assertThat(effects).isEmpty();
        assertThat(isKnown()).isFalse();
        assertThat(consume(consumer)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    void refusesOneThatIsReadOnly() {
        IdempotentConsumer<String> consumer = consumer(pool).build();
        TransactionTemplate reading = transaction(pool);
        reading.setReadOnly(true);

        reading.executeWithoutResult(status -> {
            assertThatThrownBy(() -> consume(consumer))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("read-only");
            status.setRollbackOnly();
        });

        assertThat(effects).isEmpty();
        assertThat(consume(consumer)).isEqualTo(Outcome.PROCESSED);
    }

    /** Somebody who catches the failure still learns from the commit what it was. */
    @Test
    void namesTheFailureThatSpoiledIt() {
        IdempotentConsumer<String> consumer =
                consumer(pool).failures(FailurePolicy.leaveToCaller()).build();

        assertThatThrownBy(() -> transaction(pool)
                        .executeWithoutResult(status -> assertThatThrownBy(() -> consumer.consume(message, failing()))
                                .hasMessageContaining("no such account")))
                .isInstanceOf(TransactionLostException.class)
                .hasMessageContaining("no such account")
                .hasMessageContaining("Let the exception leave");
        assertThat(isKnown()).isFalse();
    }

    private static MessageHandler<String> failing() {
        return (each, claim) -> {
            throw new IllegalStateException("no such account");
        };
    }

    @Test
    void joinsOneOnTheVeryDataSource() {
        requireJoined(pool, pool);
    }

    @Test
    void joinsThroughProxiesThatKnowTransactions() {
        requireJoined(new TransactionAwareDataSourceProxy(pool), pool);
    }

    @Test
    void joinsOneOfAManagerThatHasSuchAProxy() {
        requireJoined(pool, new TransactionAwareDataSourceProxy(pool));
    }

    @Test
    void joinsOneOnTheSameWrapper() {
        DataSource wrapper = new DelegatingDataSource(pool);
        requireJoined(wrapper, wrapper);
    }

    @Test
    void joinsOneOnTheSameLazyProxy() {
        DataSource lazy = new LazyConnectionDataSourceProxy(pool);
        requireJoined(lazy, lazy);
    }

    @Test
    void refusesOneOnOtherData() {
        requireRefused(pool, other);
    }

    @Test
    void refusesOneOfAManagerForAWrapperOfItsDataSource() {
        requireRefused(pool, new DelegatingDataSource(pool));
    }

    @Test
    void refusesOneOfAManagerForTheDataSourceThatItsOwnWraps() {
        requireRefused(new DelegatingDataSource(pool), pool);
    }

    @ParameterizedTest
    @EnumSource(names = {"AT_LEAST_ONCE", "AT_MOST_ONCE"})
    void refusesOneOnOtherDataAtEveryLevel(ConsistencyLevel level) {
        try (IdempotentConsumer<String> consumer = consumer(pool).level(level).build()) {
            transaction(other)
                    .executeWithoutResult(status -> assertThatThrownBy(() -> consume(consumer))
                            .isInstanceOf(IdempotencyException.class)
                            .hasMessageContaining("transaction")
                            .hasMessageContaining("outside"));

            assertThat(effects).isEmpty();
            assertThat(isKnown()).isFalse();
        }
    }

    @Test
    void refusesAnOuterOneOnOtherDataAlsoIfTheOneInsideIsTheCallers() {
        TransactionTemplate own = transaction(pool);
        IdempotentConsumer<String> consumer = consumer(pool)
                .transactions(work -> own.executeWithoutResult(status -> work.run()))
                .build();

        transaction(other).executeWithoutResult(status -> {
            assertThatThrownBy(() -> consume(consumer)).hasMessageContaining("two data sources");
            status.setRollbackOnly();
        });

        assertThat(effects).isEmpty();
        assertThat(isKnown()).isFalse();
    }

    @Test
    void refusesAnInnerOneOnOtherDataBecauseItsEndIsNotTheEndOfTheClaim() {
        IdempotentConsumer<String> consumer = consumer(pool).build();

        transaction(pool).executeWithoutResult(outer -> {
            TransactionTemplate within = transaction(other);
            assertThatThrownBy(() -> within.executeWithoutResult(inner ->
                            assertThatThrownBy(() -> consume(consumer)).hasMessageContaining("two data sources")))
                    .isInstanceOf(TransactionLostException.class);
            outer.setRollbackOnly();
        });

        assertThat(effects).isEmpty();
        assertThat(isKnown()).isFalse();
    }

    /** A pool may hand out connections without auto-commit; nobody commits one that is only read within a transaction on other data. */
    @Test
    void refusesAConnectionThatATransactionOnOtherDataKeepsOpen() {
        IdempotentConsumer<String> consumer = consumer(manual).build();

        transaction(other).executeWithoutResult(status -> {
            new JdbcTemplate(manual).queryForObject("select 1", Integer.class);
            assertThatThrownBy(() -> consume(consumer))
                    .hasMessageContaining("not one on the data source of the idempotency tables");
        });

        assertThat(effects).isEmpty();
        assertThat(isKnown()).isFalse();
    }

    @Test
    void joinsOneThatKeepsAConnectionToOtherDataOpen() {
        IdempotentConsumer<String> consumer = consumer(pool).build();

        transaction(pool).executeWithoutResult(status -> {
            new JdbcTemplate(manual).queryForObject("select 1", Integer.class);
            assertThat(consume(consumer)).isEqualTo(Outcome.PROCESSED);
        });

        assertThat(isKnown()).isTrue();
    }

    @Test
    void forgetsNothingWithinOneOnOtherData() {
        consume(consumer(pool).build());

        transaction(other)
                .executeWithoutResult(status -> assertThatThrownBy(
                                () -> consumer(pool).build().forget(message))
                        .hasMessageContaining("not one on the data source of the idempotency tables"));

        assertThat(isKnown()).isTrue();
    }
}
