package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.SimpleTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** An application still runs statements when its transaction ends. */
@Tag("rule-1.19")
class LastWordsTest {

    private static final String PREFIX = "last_words_";

    /** Where the application loses its transaction: after the claim and the handler. */
    private enum Late {
        BEFORE_COMMIT,
        BEFORE_COMPLETION,
        LISTENER_OF_MANAGER;

        void at(PlatformTransactionManager manager, Runnable work) {
            switch (this) {
                case BEFORE_COMMIT ->
                    TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                        @Override
                        public void beforeCommit(boolean readOnly) {
                            work.run();
                        }
                    });
                case BEFORE_COMPLETION ->
                    TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                        @Override
                        public void beforeCompletion() {
                            work.run();
                        }
                    });
                case LISTENER_OF_MANAGER ->
                    ((Listening) ((ConfigurableTransactionManager) manager)
                                    .getTransactionExecutionListeners().stream()
                                            .filter(Listening.class::isInstance)
                                            .findFirst()
                                            .orElseThrow())
                            .todo.add(work);
            }
        }
    }

    /** A listener of the application. */
    private static final class Listening implements TransactionExecutionListener {

        private final List<Runnable> todo = new ArrayList<>();

        @Override
        public void beforeCommit(TransactionExecution transaction) {
            List<Runnable> now = List.copyOf(todo);
            todo.clear();
            now.forEach(Runnable::run);
        }
    }

    private enum Manager {
        OWN,
        OF_APPLICATION
    }

    private enum Kind {
        TABLE,
        JOURNAL
    }

    static Stream<Arguments> cases() {
        return Stream.of(TestDatabase.POSTGRESQL, TestDatabase.MARIADB, TestDatabase.H2)
                .flatMap(database -> Stream.of(Manager.values())
                        .flatMap(manager -> Stream.of(Kind.values())
                                .flatMap(kind -> Stream.of(Late.values())
                                        .map(late -> Arguments.of(database, manager, kind, late)))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aTransactionThatIsLostWhileItEndsDoesNotCount(TestDatabase database, Manager manager, Kind kind, Late late) {
        try (HikariDataSource dataSource = database.pool(4)) {
            Migrated.once(dataSource, PREFIX);
            JdbcTransactionManager managing = managing(manager, dataSource);
            managing.addListener(new Listening());
            ClaimStore store = store(kind, dataSource, managing);
            Delivery delivery = delivery();
            store.prepare(List.of(delivery));

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        assertThat(store.claim(List.of(delivery))).allMatch(Claim::isGranted);
                        late.at(managing, () -> lose(dataSource, database));
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(store.find(delivery.id())).isEmpty();
            store.transactions()
                    .inTransaction(
                            () -> assertThat(store.claim(List.of(delivery))).allMatch(Claim::isGranted));
            assertThat(store.find(delivery.id())).isPresent();
        }
    }

    static Stream<Arguments> managers() {
        return cases().map(Arguments::get)
                .map(of -> List.of(of[0], of[1], of[2]))
                .distinct()
                .map(of -> Arguments.of(of.toArray()));
    }

    @ParameterizedTest
    @MethodSource("managers")
    void aNestedTransactionBehindTheClaimEndsNothing(TestDatabase database, Manager manager, Kind kind) {
        try (HikariDataSource dataSource = database.pool(4)) {
            Migrated.once(dataSource, PREFIX);
            JdbcTransactionManager managing = managing(manager, dataSource);
            ClaimStore store = store(kind, dataSource, managing);
            Delivery delivery = delivery();
            store.prepare(List.of(delivery));
            TransactionTemplate nested = new TransactionTemplate(managing);
            nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
            List<String> afterwards = new ArrayList<>();

            store.transactions().inTransaction(() -> {
                assertThat(store.claim(List.of(delivery))).allMatch(Claim::isGranted);
                store.transactions().afterCommit(() -> afterwards.add("committed"));
                nested.executeWithoutResult(status -> afterwards.add("nested"));
            });

            assertThat(afterwards).containsExactly("nested", "committed");
            assertThat(store.find(delivery.id())).isPresent();
        }
    }

    /** Spring looks for the mark before it asks its listeners, and throws after the commit. */
    @ParameterizedTest
    @MethodSource("managers")
    void aTransactionThatIsMarkedForRollbackWhileItEndsIsRolledBack(TestDatabase database, Manager manager, Kind kind) {
        try (HikariDataSource dataSource = database.pool(4)) {
            Migrated.once(dataSource, PREFIX);
            JdbcTransactionManager managing = managing(manager, dataSource);
            ClaimStore store = store(kind, dataSource, managing);
            Delivery delivery = delivery();
            store.prepare(List.of(delivery));
            TransactionTemplate joining = new TransactionTemplate(managing);

            assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                        assertThat(store.claim(List.of(delivery))).allMatch(Claim::isGranted);
                        Late.BEFORE_COMMIT.at(
                                managing, () -> joining.executeWithoutResult(TransactionStatus::setRollbackOnly));
                    }))
                    .isInstanceOf(TransactionLostException.class)
                    .hasMessageContaining("marked for rollback");

            assertThat(store.find(delivery.id())).isEmpty();
        }
    }

    @Test
    void whatJpaHasNotWrittenIsWrittenBeforeThem() {
        List<String> order = new ArrayList<>();
        TransactionStatus ending = new SimpleTransactionStatus() {
            @Override
            public void flush() {
                order.add("flush");
            }
        };
        try (HikariDataSource dataSource = TestDatabase.H2.pool(1)) {
            new TransactionTemplate(new JdbcTransactionManager(dataSource)).executeWithoutResult(status -> {
                ActiveTransaction.of(dataSource).dependOn(active -> order.add("last word"));
                ActiveTransaction.sayLastWords(ending);
            });
        }

        assertThat(order).containsExactly("flush", "last word");
    }

    private static JdbcTransactionManager managing(Manager manager, HikariDataSource dataSource) {
        return manager == Manager.OWN ? JdbcTransactions.manager(dataSource) : new JdbcTransactionManager(dataSource);
    }

    private static ClaimStore store(Kind kind, HikariDataSource dataSource, JdbcTransactionManager managing) {
        return kind == Kind.TABLE
                ? TableStore.builder(dataSource)
                        .tablePrefix(PREFIX)
                        .transactionManager(managing)
                        .build()
                : JournalStore.builder(dataSource)
                        .tablePrefix(PREFIX)
                        .transactionManager(managing)
                        .build();
    }

    private static Delivery delivery() {
        return new Delivery(new MessageId("c-" + UUID.randomUUID(), "m"), new Position("orders", 0, 1));
    }

    /** On PostgreSQL by a failed statement that nobody notices, on the others by a rollback: of them a failed statement takes back itself only. */
    private static void lose(HikariDataSource dataSource, TestDatabase database) {
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            if (database == TestDatabase.POSTGRESQL) {
                connection.createStatement().execute("insert into no_such_table values (1)");
            } else {
                connection.rollback();
            }
        } catch (SQLException swallowed) {
            assertThat(swallowed.getMessage()).contains("no_such_table");
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }
}
