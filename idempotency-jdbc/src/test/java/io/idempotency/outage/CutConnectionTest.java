package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.DuplicateCache;
import io.idempotency.Outcome;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransactionRunner;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** A connection that breaks during a statement, so that nobody here knows how it ended. */
@ExtendWith(LongOutage.class)
class CutConnectionTest {

    private static final String LAST = "m-0-9";

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();
    private final AtomicInteger handled = new AtomicInteger();
    private final Queue<String> cachedTooEarly = new ConcurrentLinkedQueue<>();

    @ParameterizedTest
    @CsvSource({
        "BEFORE_THE_SERVER_SEES_IT, false",
        "AFTER_THE_SERVER_DID_IT, false",
        "BEFORE_THE_SERVER_SEES_IT, true",
        "AFTER_THE_SERVER_DID_IT, true"
    })
    @Tag("rule-1.2")
    void theRedeliveryDecidesAboutACommit(Cutter.Cut cut, boolean isRunByTemplate) throws IOException {
        boolean isCommitted = cut == Cutter.Cut.AFTER_THE_SERVER_DID_IT;
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 10);
        try (Cutter cutter = new Cutter(postgres);
                Ledger ledger = Ledger.open(Ledger.anyConsumer(), cutter.url(), 2)) {
            DuplicateCache cache = new Suspicious(CaffeineCache.create(), ledger.consumer());
            Service service = Service.of(ledger, topic)
                    .with(builder -> builder.cache(cache).transactions(runner(ledger, isRunByTemplate)))
                    .start(watch, (message, claim) -> {
                        ledger.enter(message);
                        if (message.value().equals(LAST) && handled.getAndIncrement() == 0) {
                            cutter.cutNext(Cutter.COMMIT, cut);
                        }
                    });
            try (service) {
                service.until(() ->
                        watch.of(LAST).stream().anyMatch(seen -> seen.outcome().isSettled()));
                service.until(() -> Kafka.committedOfFirst(service.group()) == 10);
            }
            assertThat(cutter.isArmed()).isFalse();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(cachedTooEarly).isEmpty();
            assertThat(sent)
                    .allMatch(entry -> cache.find(new MessageId(ledger.consumer(), entry.id()))
                            .isPresent());
        }
        assertThat(watch.transients()).isEqualTo(1);
        assertThat(handled).hasValue(isCommitted ? 1 : 2);
        assertThat(watch.of(LAST))
                .last()
                .extracting(Consumption::outcome)
                .isEqualTo(isCommitted ? Outcome.DUPLICATE : Outcome.PROCESSED);
        assertThat(watch.duplicates()).allMatch(kind -> kind == Duplicate.Kind.REDELIVERY);
        watch.assertNothingCounted();
    }

    @ParameterizedTest
    @CsvSource({
        "STRONG, BEFORE_THE_SERVER_SEES_IT, false",
        "STRONG, AFTER_THE_SERVER_DID_IT, true",
        "AT_LEAST_ONCE, BEFORE_THE_SERVER_SEES_IT, false",
        "AT_LEAST_ONCE, AFTER_THE_SERVER_DID_IT, false"
    })
    @Tag("rule-1.4")
    void aClaimRunsAgain(ConsistencyLevel level, Cutter.Cut cut, boolean isRunByTemplate) throws IOException {
        String topic = Kafka.topic(1);
        List<Entry> sent = Kafka.send(topic, 0, "m", 10);
        try (Cutter cutter = new Cutter(postgres);
                Ledger ledger = Ledger.open(Ledger.anyConsumer(), cutter.url(), 2)) {
            cutter.cutNext(Cutter.CLAIM, cut);
            Service service = Service.of(ledger, topic)
                    .with(builder -> builder.level(level)
                            .transactions(runner(ledger, isRunByTemplate))
                            .lease(Duration.ofSeconds(2)))
                    .start(watch, (message, claim) -> ledger.enter(message));
            try (service) {
                service.until(() -> Kafka.committedOfFirst(service.group()) == 10);
            }
            assertThat(cutter.isArmed()).isFalse();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
        }
        assertThat(watch.transients()).isEqualTo(1);
        watch.assertNothingCounted();
    }

    @Test
    void aRollbackThatFailsDoesNotHideWhatTheWorkThrew() throws IOException {
        IllegalStateException thrown = new IllegalStateException("Business says no");
        try (Cutter cutter = new Cutter(postgres);
                Ledger ledger = Ledger.open(Ledger.anyConsumer(), cutter.url(), 1)) {
            assertThatThrownBy(() -> ledger.store().transactions().inTransaction(() -> {
                        cutter.cutNext("select 1", Cutter.Cut.BEFORE_THE_SERVER_SEES_IT);
                        assertThatThrownBy(() -> select(ledger)).isInstanceOf(SQLException.class);
                        throw thrown;
                    }))
                    .isSameAs(thrown)
                    .satisfies(left -> assertThat(left.getSuppressed()).hasSize(1));
        }
    }

    private static void select(Ledger ledger) throws SQLException {
        try (Connection connection = ledger.joined().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("select 1");
        }
    }

    /** Returns the store's own transactions, or Spring's as users have them: there a failed rollback hides the first failure. */
    private static TransactionRunner runner(Ledger ledger, boolean isTemplate) {
        TransactionTemplate template = new TransactionTemplate(new JdbcTransactionManager(ledger.pool()));
        return isTemplate
                ? work -> template.executeWithoutResult(status -> work.run())
                : ledger.store().transactions();
    }

    /** Checks in the database, over a connection of its own, whether the message is committed there. */
    private final class Suspicious implements DuplicateCache {

        private final DuplicateCache cache;
        private final String consumer;

        Suspicious(DuplicateCache cache, String consumer) {
            this.cache = cache;
            this.consumer = consumer;
        }

        @Override
        public Optional<Known> find(MessageId id) {
            return cache.find(id);
        }

        @Override
        public void remember(MessageId id, Known known) {
            if (postgres.effects(consumer).stream()
                    .noneMatch(effect -> effect.id().equals(id.value()))) {
                cachedTooEarly.add(id.value());
            }
            cache.remember(id, known);
        }

        @Override
        public void forget(MessageId id) {
            cache.forget(id);
        }

        @Override
        public void clear() {
            cache.clear();
        }
    }
}
