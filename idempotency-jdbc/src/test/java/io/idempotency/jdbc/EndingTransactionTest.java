package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.DuplicateCache;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Consuming within a transaction that is about to end, or has committed: it would be in none. */
@Tag("rule-1.8")
class EndingTransactionTest {

    /** When, in the life of a transaction, a message is consumed. */
    enum Moment {
        WITHIN("within it", false),
        BEFORE_COMMIT("by a synchronization, before its commit", true),
        BEFORE_COMPLETION("by a synchronization, before its completion", true),
        AFTER_COMMIT("by a synchronization, after its commit (`@TransactionalEventListener`)", true),
        AFTER_COMPLETION("by a synchronization, after its completion", true),
        IN_ANOTHER("after its commit, within another transaction (`REQUIRES_NEW`)", false);

        private final String title;
        private final boolean isRefused;

        Moment(String title, boolean isRefused) {
            this.title = title;
            this.isRefused = isRefused;
        }

        /** Consumes within a transaction that runs already. */
        void run(Runnable consume, Runnable inAnother) {
            if (this == WITHIN) {
                consume.run();
                return;
            }
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void beforeCommit(boolean readOnly) {
                    at(BEFORE_COMMIT, consume);
                }

                @Override
                public void beforeCompletion() {
                    at(BEFORE_COMPLETION, consume);
                }

                @Override
                public void afterCommit() {
                    at(AFTER_COMMIT, consume);
                    at(IN_ANOTHER, inAnother);
                }

                @Override
                public void afterCompletion(int status) {
                    at(AFTER_COMPLETION, consume);
                }
            });
        }

        private void at(Moment moment, Runnable action) {
            if (this == moment) {
                action.run();
            }
        }
    }

    private final List<HikariDataSource> pools = new ArrayList<>();

    @AfterEach
    void close() {
        pools.forEach(HikariDataSource::close);
    }

    @ParameterizedTest
    @EnumSource(Moment.class)
    void storesWhatItAnswersAndCachesNothingElse(Moment moment) {
        for (Scene scene : scenes()) {
            String answer = scene.consumeAt(moment);

            assertThat(answer).as(scene.toString()).isEqualTo(moment.isRefused ? "refused" : "PROCESSED");
            assertThat(scene.effects()).as(scene.toString()).isEqualTo(moment.isRefused ? 0 : 1);
            assertThat(scene.cached).as(scene.toString()).hasSize(moment.isRefused ? 0 : 1);
            assertThat(scene.consumer.consume("m", scene::write))
                    .as(scene.toString())
                    .isEqualTo(moment.isRefused ? Outcome.PROCESSED : Outcome.DUPLICATE);
            assertThat(scene.effects()).as(scene.toString()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void refusesASecondConsumptionAfterTheCommitOfTheFirst(boolean isAutoCommit) {
        Scene scene = new Scene(TestDatabase.POSTGRESQL, isAutoCommit, false);

        assertThatThrownBy(() -> scene.transactions.executeWithoutResult(status -> {
                    scene.consumer.consume("m", scene::write);
                    Moment.AFTER_COMMIT.run(() -> scene.consumer.consume("m2", scene::write), () -> {});
                }))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("REQUIRES_NEW");

        assertThat(scene.effects()).isEqualTo(1);
        assertThat(scene.consumer.consume("m2", scene::write)).isEqualTo(Outcome.PROCESSED);
    }

    @Test
    void refusesAConsumptionAfterTheCommitOfATransactionOfItsOwn() {
        Scene scene = new Scene(TestDatabase.POSTGRESQL, true, false);
        List<String> refused = new ArrayList<>();

        scene.consumer.consume("m", (message, claim) -> {
            scene.write(message, claim);
            Moment.AFTER_COMMIT.run(
                    () -> refused.add(answer(() -> scene.consumer.consume("m2", scene::write))), () -> {});
        });

        assertThat(refused).containsExactly("refused");
        assertThat(scene.consumer.consume("m2", scene::write)).isEqualTo(Outcome.PROCESSED);
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"AFTER_COMMIT", "AFTER_COMPLETION"})
    void refusesAConsumptionBeforeItsHandlerIsCalledAndSaysWhatToDo(Moment moment) {
        for (Scene scene : scenes()) {
            List<Throwable> refused = new ArrayList<>();
            List<String> handled = new ArrayList<>();

            scene.consumer.consume(
                    "m",
                    (message, claim) -> moment.run(
                            () -> {
                                try {
                                    scene.consumer.consume("m2", (second, more) -> handled.add(second));
                                } catch (IdempotencyException e) {
                                    refused.add(e);
                                }
                            },
                            () -> {}));

            assertThat(handled).as(scene.toString()).isEmpty();
            assertThat(refused).as(scene.toString()).hasSize(1);
            assertThat(refused.get(0)).as(scene.toString()).hasMessageContaining("REQUIRES_NEW");
        }
    }

    /** Spring then forgets that a transaction was there, though its connection is still bound. */
    @Test
    void refusesAConsumptionBehindAnotherTransactionAfterTheCompletion() {
        for (Scene scene : scenes()) {
            List<Throwable> refused = new ArrayList<>();
            List<String> handled = new ArrayList<>();

            scene.consumer.consume(
                    "m",
                    (message, claim) -> Moment.AFTER_COMPLETION.run(
                            () -> {
                                scene.another.executeWithoutResult(status -> {});
                                try {
                                    scene.consumer.consume("m2", (second, more) -> {
                                        handled.add(second);
                                        scene.write(second, more);
                                    });
                                } catch (IdempotencyException e) {
                                    refused.add(e);
                                }
                            },
                            () -> {}));

            assertThat(scene.effects()).as(scene.toString()).isZero();
            assertThat(scene.consumer.consume("m2", scene::write))
                    .as(scene.toString())
                    .isEqualTo(Outcome.PROCESSED);
            assertThat(handled).as(scene.toString()).isEmpty();
            assertThat(refused).as(scene.toString()).hasSize(1);
            assertThat(refused.get(0)).as(scene.toString()).hasMessageContaining("REQUIRES_NEW");
        }
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        StringBuilder table = new StringBuilder("| a message is consumed | answer | effects |\n|---|---|---|\n");
        for (Moment moment : Moment.values()) {
            Set<String> seen = new LinkedHashSet<>();
            for (Scene scene : scenes()) {
                String answer = scene.consumeAt(moment);
                seen.add((answer.equals("refused") ? answer : "`" + answer + "`") + " | " + scene.effects());
            }
            table.append("| ")
                    .append(moment.title)
                    .append(" | ")
                    .append(String.join(" or ", seen))
                    .append(" |\n");
        }
        GuaranteesSection.assertSays("ending transactions", table.toString().strip());
    }

    private List<Scene> scenes() {
        List<Scene> scenes = new ArrayList<>();
        for (TestDatabase database : List.of(TestDatabase.POSTGRESQL, TestDatabase.MARIADB, TestDatabase.H2)) {
            for (boolean isAutoCommit : List.of(true, false)) {
                for (boolean isJournal : List.of(true, false)) {
                    scenes.add(new Scene(database, isAutoCommit, isJournal));
                }
            }
        }
        return scenes;
    }

    private static String answer(Supplier<Outcome> consume) {
        try {
            return consume.get().name();
        } catch (IdempotencyException e) {
            return "refused";
        }
    }

    /** A consumer, the application's transactions, and the cache. */
    private final class Scene {

        private static final String PREFIX = "ending_";

        private final String name = "ending-" + UUID.randomUUID().toString().substring(0, 13);
        private final String description;
        private final JdbcTemplate jdbc;
        private final TransactionTemplate transactions;
        private final TransactionTemplate another;
        private final IdempotentConsumer<String> consumer;
        private final Set<MessageId> cached = new HashSet<>();

        Scene(TestDatabase database, boolean isAutoCommit, boolean isJournal) {
            description = database + (isAutoCommit ? "" : ", without auto-commit") + (isJournal ? ", journal" : "");
            HikariDataSource pool = database.pool(2, config -> config.setAutoCommit(isAutoCommit));
            pools.add(pool);
            jdbc = new JdbcTemplate(pool);
            Migrated.once(pool, PREFIX);
            transactions = new TransactionTemplate(new JdbcTransactionManager(pool));
            another = new TransactionTemplate(new JdbcTransactionManager(pool));
            another.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
            transactions.executeWithoutResult(status -> jdbc.execute(
                    "create table if not exists ending_effect (consumer varchar(100), message varchar(10))"));
            var builder = IdempotentConsumer.<String>named(name)
                    .store(
                            isJournal
                                    ? JournalStore.builder(pool)
                                            .tablePrefix(PREFIX)
                                            .build()
                                    : TableStore.builder(pool)
                                            .tablePrefix(PREFIX)
                                            .build())
                    .messageId(Optional::of)
                    .cache(new Cached());
            consumer = (isJournal ? builder.reader(new AtOffset()) : builder).build();
        }

        String consumeAt(Moment moment) {
            List<String> answers = new ArrayList<>();
            Runnable consume = () -> answers.add(answer(() -> consumer.consume("m", this::write)));
            transactions.executeWithoutResult(
                    status -> moment.run(consume, () -> another.executeWithoutResult(inner -> consume.run())));
            return answers.get(0);
        }

        private void write(String message, io.idempotency.store.Claim claim) {
            jdbc.update("insert into ending_effect (consumer, message) values (?, ?)", name, message);
        }

        private int effects() {
            return jdbc.queryForList("select message from ending_effect where consumer = ?", name)
                    .size();
        }

        @Override
        public String toString() {
            return description;
        }

        private final class Cached implements DuplicateCache {
            @Override
            public Optional<Known> find(MessageId id) {
                return Optional.empty();
            }

            @Override
            public void remember(MessageId id, Known known) {
                cached.add(id);
            }

            @Override
            public void forget(MessageId id) {
                cached.remove(id);
            }

            @Override
            public void clear() {
                cached.clear();
            }
        }
    }

    /** Every message has a place of its own in one partition. */
    private static final class AtOffset implements io.idempotency.MessageReader<String> {
        @Override
        public io.idempotency.store.Position position(String message) {
            return new io.idempotency.store.Position("orders", 0, message.length());
        }

        @Override
        public io.idempotency.store.Payload payload(String message) {
            return io.idempotency.store.Payload.none(io.idempotency.store.Payload.Origin.POSITION_ONLY);
        }
    }
}
