package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Messages that leave the quarantine: their claims are proved like any other. */
@Tag("rule-9.1")
class OutOfQuarantineTest {

    private static final String PREFIX = "replayed_";

    private final Delivery bad =
            new Delivery(new MessageId("c-" + UUID.randomUUID(), "bad"), new Position("orders", 0, 17));

    static Stream<Arguments> stores() {
        return Stream.of(TestDatabase.POSTGRESQL, TestDatabase.MARIADB, TestDatabase.H2)
                .flatMap(database -> Stream.of(false, true).map(isJournal -> Arguments.of(database, isJournal)));
    }

    /** A store with a quarantined message. */
    private final class Scene implements AutoCloseable {

        private final HikariDataSource pool;
        private final ClaimStore store;
        private final ClaimStore otherProcess;

        Scene(TestDatabase database, boolean isJournal) {
            pool = database.pool(4);
            Migrated.once(pool, PREFIX);
            store = store(isJournal);
            otherProcess = store(isJournal);
            store.quarantine(
                    inTransaction(store, () -> store.claim(List.of(bad))).get(0));
        }

        private ClaimStore store(boolean isJournal) {
            return isJournal
                    ? JournalStore.builder(pool)
                            .tablePrefix(PREFIX)
                            .revalidation(Duration.ZERO)
                            .build()
                    : TableStore.builder(pool).tablePrefix(PREFIX).build();
        }

        Claim outOfQuarantine() {
            store.unquarantine(bad);
            return store.claim(List.of(bad)).get(0);
        }

        Status seenByAnotherProcess() {
            return CompletableFuture.supplyAsync(this::asked)
                    // After an early commit a journal has other tokens, and its windows are read anew.
                    .exceptionally(failure -> asked())
                    .join();
        }

        private Status asked() {
            return inTransaction(otherProcess, () -> otherProcess.claim(List.of(bad)))
                    .get(0)
                    .status();
        }

        void handle(String sql) {
            DataSource current = ((JdbcTransactions) store.transactions()).dataSource();
            try (Connection connection = current.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute(sql);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            pool.close();
        }
    }

    private static <T> T inTransaction(ClaimStore store, Supplier<T> work) {
        Object[] result = new Object[1];
        store.transactions().inTransaction(() -> result[0] = work.get());
        @SuppressWarnings("unchecked")
        T typed = (T) result[0];
        return typed;
    }

    @ParameterizedTest
    @MethodSource("stores")
    @Tag("rule-1.1")
    void refusesTheCommitIfItsTransactionWasRolledBackUnderneath(TestDatabase database, boolean isJournal) {
        try (Scene scene = new Scene(database, isJournal)) {
            assertThatThrownBy(() -> inTransaction(scene.store, () -> {
                        assertThat(scene.outOfQuarantine().isGranted()).isTrue();
                        scene.handle("rollback");
                        return true;
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(scene.seenByAnotherProcess()).isEqualTo(Status.QUARANTINED);
        }
    }

    @ParameterizedTest
    @MethodSource("stores")
    @Tag("rule-1.7")
    void isNotProcessedBeforeTheProofThatFollowsAnEarlyCommit(TestDatabase database, boolean isJournal) {
        try (Scene scene = new Scene(database, isJournal)) {
            Status[] early = new Status[1];

            inTransaction(scene.store, () -> {
                assertThat(scene.outOfQuarantine().isGranted()).isTrue();
                scene.handle("commit");
                early[0] = scene.seenByAnotherProcess();
                return true;
            });

            // An unproved segment is absent, so the journal still knows the message as quarantined.
            assertThat(early[0]).isEqualTo(isJournal ? Status.QUARANTINED : Status.IN_PROGRESS);
            assertThat(scene.seenByAnotherProcess()).isEqualTo(Status.DUPLICATE);
        }
    }

    @ParameterizedTest
    @MethodSource("stores")
    @Tag("rule-1.7")
    void goesBackIntoQuarantineIfItsHandlerCommittedEarlyAndFailed(TestDatabase database, boolean isJournal) {
        try (Scene scene = new Scene(database, isJournal)) {
            assertThatThrownBy(() -> inTransaction(scene.store, () -> {
                        assertThat(scene.outOfQuarantine().isGranted()).isTrue();
                        scene.handle("commit");
                        throw new IllegalStateException("the handler's own");
                    }))
                    .hasMessage("the handler's own");

            assertThat(scene.seenByAnotherProcess()).isEqualTo(Status.QUARANTINED);
        }
    }
}
