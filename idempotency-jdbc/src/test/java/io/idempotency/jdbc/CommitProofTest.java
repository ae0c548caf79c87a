package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.TransactionLostException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** A commit that returns is not a commit: the claiming transaction must be the one that commits. */
@Tag("rule-1.1")
class CommitProofTest {

    @Nested
    class OnPostgresqlWithAManagerOfTheUsers extends OnPostgresql {

        @Override
        Fixture fixture() {
            return Fixture.managed(TestDatabase.POSTGRESQL);
        }
    }

    /** The driver then sends each statement as a query of its own, and the server goes on after one that failed. */
    @Nested
    class OnPostgresqlInSimpleQueryMode extends OnPostgresql {

        @Override
        Fixture fixture() {
            return Fixture.on(TestDatabase.POSTGRESQL.pool(
                    6, config -> config.addDataSourceProperty("preferQueryMode", "simple")));
        }
    }

    abstract static class OnPostgresql extends Proof {
        OnPostgresql() {
            super(TestDatabase.POSTGRESQL);
        }

        @Test
        void refusesACommitAfterTheHandlerCaughtADuplicateKey() {
            fixture.handle("create table if not exists rules_effect (id integer primary key)");
            fixture.handle("delete from rules_effect");
            fixture.handle("insert into rules_effect values (1)");

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        assertThatThrownBy(() -> fixture.handle("insert into rules_effect values (1)"))
                                .hasRootCauseInstanceOf(SQLException.class);
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        /** A handler does so to have its own deferred constraints checked: that is no commit. */
        @Test
        void commitsAfterDeferredConstraintsWereChecked() {
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                fixture.handle("set constraints all immediate");
                fixture.claim(id + "-second");
            });

            assertThat(fixture.isProcessed(id)).isTrue();
            assertThat(fixture.isProcessed(id + "-second")).isTrue();
        }

        @Test
        @Tag("rule-1.7")
        void looksAfterAClaimOfWhichTheFirstMessageWasKnown() {
            assertLooksAfterAClaimOfWhichTheFirstMessageIsKnown(fixture);
        }

        /** Behind a savepoint, the server writes with another number: rows of one claim have several. */
        @Test
        @Tag("rule-1.7")
        void looksAfterItWhereTheDriverSetsASavepointBeforeEachStatement() {
            try (Fixture saving = Fixture.on(saving())) {
                assertLooksAfterAClaimOfWhichTheFirstMessageIsKnown(saving);
            }
        }

        private static HikariDataSource saving() {
            HikariDataSource pool = TestDatabase.POSTGRESQL.pool(2);
            HikariConfig config = new HikariConfig();
            pool.copyStateTo(config);
            pool.close();
            config.addDataSourceProperty("autosave", "always");
            return new HikariDataSource(config);
        }

        private void assertLooksAfterAClaimOfWhichTheFirstMessageIsKnown(Fixture on) {
            String known = "00000000-0000-4000-8000-000000000000";
            on.claimed(known);

            assertThatThrownBy(() -> on.transactions.inTransaction(() -> {
                        on.store.claim(List.of(on.at(known, 1), on.at(id, 2), on.at(id + "-third", 3)));
                        on.handle("commit");
                        throw new IllegalStateException("the handler's own");
                    }))
                    .isInstanceOf(IllegalStateException.class);

            assertThat(on.isProcessed(id)).isFalse();
            assertThat(on.isProcessed(id + "-third")).isFalse();
            assertThat(on.claimed(id).isGranted()).isTrue();
        }

        @Test
        void commitsAfterAllSettingsWereReset() {
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                fixture.handle("reset all");
            });

            assertThat(fixture.isProcessed(id)).isTrue();
        }
    }

    /** The store's own transaction manager. */
    @Nested
    class OnPostgresqlInOneRoundTrip extends OnPostgresql {

        @Test
        void commitsTogetherWithTheProof() {
            List<Boolean> isCommittedBefore = new ArrayList<>();
            TableStore store = TableStore.builder(beforeCommit(() -> isCommittedBefore.add(fixture.isProcessed(id))))
                    .tablePrefix(Fixture.PREFIX)
                    .build();

            store.transactions().inTransaction(() -> store.claim(List.of(fixture.at(id, 1))));

            assertThat(isCommittedBefore)
                    .as("whether it was committed when the driver was told to commit")
                    .containsExactly(true);
        }

        /** One text more for each claim came to a pattern that the server would not match any more, and cost the square of them all. */
        @Test
        void commitsAnyNumberOfClaims() {
            int claims = 25_000;

            fixture.transactions.inTransaction(() -> {
                for (int i = 0; i < claims; i++) {
                    fixture.claim(id + "-" + i);
                }
            });

            assertThat(fixture.isProcessed(id + "-" + (claims - 1))).isTrue();
        }

        @Test
        void tellsWhyACommitFailed() {
            fixture.handle(
                    "create table if not exists rules_deferred (id integer primary key deferrable initially deferred)");

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        fixture.handle("insert into rules_deferred values (1), (1)");
                    }))
                    .isInstanceOf(DuplicateKeyException.class)
                    .hasMessageContaining("commit");

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        @Test
        void commitsATransactionThatWasSuspendedMeanwhile() {
            TransactionTemplate another = new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource));
            another.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);

            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                another.executeWithoutResult(status -> fixture.claim(id + "-other"));
                assertThat(fixture.isProcessed(id + "-other")).isTrue();
            });

            assertThat(fixture.isProcessed(id)).isTrue();
        }

        private DataSource beforeCommit(Runnable action) {
            return new DelegatingDataSource(fixture.dataSource) {
                @Override
                public Connection getConnection() throws SQLException {
                    Connection target = super.getConnection();
                    return (Connection) Proxy.newProxyInstance(
                            Connection.class.getClassLoader(),
                            new Class<?>[] {Connection.class},
                            (self, method, arguments) -> {
                                if (method.getName().equals("commit")) {
                                    action.run();
                                }
                                return method.invoke(target, arguments);
                            });
                }
            };
        }
    }

    @Nested
    class OnMariaDb extends Proof {
        OnMariaDb() {
            super(TestDatabase.MARIADB);
        }

        @Test
        void commitsWhatIsLeftAfterTheHandlerChangedATable() {
            changesATable("rules_ddl");
        }
    }

    @Nested
    class OnH2 extends Proof {
        OnH2() {
            super(TestDatabase.H2);
        }

        @Test
        void commitsWhatIsLeftAfterTheHandlerChangedATable() {
            changesATable("rules_ddl");
        }
    }

    @Nested
    class OnHsqldb extends Proof {
        OnHsqldb() {
            super(TestDatabase.HSQLDB);
        }
    }

    abstract static class Proof {

        private final TestDatabase database;
        final String id = "m-" + UUID.randomUUID();
        Fixture fixture;
        private List<String> afterCommit = new ArrayList<>();

        @SuppressWarnings("NullAway.Init")
        Proof(TestDatabase database) {
            this.database = database;
        }

        @BeforeEach
        void open() {
            fixture = fixture();
        }

        Fixture fixture() {
            return Fixture.on(database);
        }

        @AfterEach
        void close() {
            fixture.close();
        }

        void changesATable(String table) {
            fixture.handle("drop table if exists " + table);

            fixture.transactions.inTransaction(() -> {
                claimTelling();
                fixture.handle("create table " + table + " (id integer)");
            });

            assertCommittedEarly();
        }

        private void claimTelling() {
            fixture.claim(id);
            fixture.transactions.afterCommit(() -> afterCommit.add("ran"));
            fixture.transactions.ifCommittedEarly(() -> afterCommit.add("early"));
        }

        private void assertCommittedEarly() {
            assertThat(afterCommit).containsExactly("early", "ran");
            assertThat(fixture.isProcessed(id)).isTrue();
        }

        @Test
        void tellsNothingOfATransactionThatCommitsAtItsEnd() {
            fixture.transactions.inTransaction(this::claimTelling);

            assertThat(afterCommit).containsExactly("ran");
        }

        @Test
        void refusesACommitAfterTheTransactionWasRolledBackUnderneath() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        fixture.transactions.afterCommit(() -> afterCommit.add("ran"));
                        fixture.handle("rollback");
                        fixture.claim(id + "-other");
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
            assertThat(afterCommit).isEmpty();
        }

        @Test
        @Tag("rule-1.7")
        void commitsWhatIsLeftAfterTheHandlerCommittedUnderneath() {
            fixture.transactions.inTransaction(() -> {
                claimTelling();
                fixture.handle("commit");
                fixture.handle("delete from rules_name where id = -1");
                fixture.claim(id + "-second");
            });

            assertCommittedEarly();
            assertThat(fixture.isProcessed(id + "-second")).isTrue();
        }

        @Test
        @Tag("rule-1.7")
        void commitsWhatIsLeftAfterTheHandlerSwitchedToAutoCommit() {
            fixture.transactions.inTransaction(() -> {
                claimTelling();
                switchToAutoCommit();
                fixture.handle("delete from rules_name where id = -1");
            });

            assertCommittedEarly();
        }

        @Test
        @Tag("rule-1.7")
        void givesBackWhatTheHandlerCommittedUnderneathBeforeItFailed() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        claimTelling();
                        fixture.claim(id + "-second");
                        fixture.handle("commit");
                        throw new IllegalStateException("the handler's own");
                    }))
                    .hasMessage("the handler's own");

            assertThat(afterCommit).containsExactly("early");
            assertThat(fixture.isProcessed(id)).isFalse();
            assertThat(fixture.claimed(id).isGranted()).isTrue();
            assertThat(fixture.claimed(id + "-second").isGranted()).isTrue();
        }

        @Test
        @Tag("rule-1.7")
        void neverTakesAClaimForProcessedThatWasCommittedAndNotProved() {
            fixture.claimed(id + "-named");
            String[] answer = new String[1];

            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                fixture.handle("commit");
                answer[0] = CompletableFuture.supplyAsync(() -> fixture.claimed(id))
                        .join()
                        .status()
                        .name();
            });

            assertThat(answer[0]).isEqualTo("IN_PROGRESS");
            assertThat(fixture.isProcessed(id)).isTrue();
        }

        @Test
        @Tag("rule-1.7")
        void grantsAClaimThatNobodyProvedInTime() {
            fixture.claimed(id + "-named");
            Claim[] next = new Claim[1];

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        fixture.handle("commit");
                        TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofMinutes(6));
                        next[0] = CompletableFuture.supplyAsync(() -> fixture.claimed(id))
                                .join();
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(next[0].isGranted()).isTrue();
            assertThat(fixture.isProcessed(id)).isTrue();
        }

        private void switchToAutoCommit() {
            try (Connection connection = fixture.transactions.dataSource().getConnection()) {
                connection.unwrap(Connection.class).setAutoCommit(true);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Test
        void refusesACommitAfterARollbackToASavepointBeforeTheClaim() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        Connection connection = connection();
                        Savepoint savepoint = savepoint(connection);
                        fixture.claim(id);
                        rollback(connection, savepoint);
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        @Test
        void refusesACommitAfterARollbackToASavepointBeforeTheSecondClaim() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        Connection connection = connection();
                        Savepoint savepoint = savepoint(connection);
                        fixture.claim(id + "-second");
                        rollback(connection, savepoint);
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        @Test
        void commitsAfterARollbackToASavepointBehindTheClaim() {
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                Connection connection = connection();
                rollback(connection, savepoint(connection));
            });

            assertThat(fixture.isProcessed(id)).isTrue();
        }

        @Test
        @Tag("rule-1.5")
        void refusesACommitAfterTheNestedTransactionThatClaimedWasRolledBack() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        fixture.transactions.afterCommit(() -> afterCommit.add("ran, too"));
                        nested().executeWithoutResult(status -> {
                            fixture.transactions.afterCommit(() -> afterCommit.add("ran"));
                            status.setRollbackOnly();
                        });
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(afterCommit).isEmpty();
        }

        @Test
        @Tag("rule-1.5")
        void refusesACommitAfterTheNestedTransactionWithTheFirstClaimWasRolledBack() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> nested().executeWithoutResult(status -> {
                        fixture.claim(id);
                        status.setRollbackOnly();
                    })))
                    .isInstanceOf(TransactionLostException.class);
        }

        @Test
        void commitsWhatWasClaimedInANestedTransaction() {
            new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource)).executeWithoutResult(outer -> {
                nested().executeWithoutResult(status -> claimTelling());
                nested().executeWithoutResult(status -> fixture.claim(id + "-second"));
            });

            assertThat(afterCommit).containsExactly("ran");
            assertThat(fixture.isProcessed(id)).isTrue();
            assertThat(fixture.isProcessed(id + "-second")).isTrue();
        }

        @Test
        void commitsAfterANestedTransactionWithoutClaimsWasRolledBack() {
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                nested().executeWithoutResult(status -> status.setRollbackOnly());
            });

            assertThat(fixture.isProcessed(id)).isTrue();
        }

        @Test
        void commitsWhatTwoStoresClaimedInOneTransaction() {
            TableStore other = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            fixture.transactions.inTransaction(() -> {
                fixture.claim(id);
                other.claim(List.of(fixture.at(id + "-other", 2)));
                fixture.claim(id + "-third");
                other.claim(List.of(fixture.at(id + "-fourth", 4)));
            });

            assertThat(fixture.isProcessed(id)).isTrue();
            assertThat(fixture.isProcessed(id + "-fourth")).isTrue();
        }

        @Test
        void refusesACommitAfterARollbackToASavepointBeforeTheClaimOfTheOtherStore() {
            TableStore other = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        Connection connection = connection();
                        Savepoint savepoint = savepoint(connection);
                        other.claim(List.of(fixture.at(id + "-other", 2)));
                        rollback(connection, savepoint);
                        fixture.claim(id + "-third");
                    }))
                    .isInstanceOf(TransactionLostException.class);

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        @Test
        void neverReturnsFromATransactionThatWasMarkedForRollback() {
            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource))
                                .executeWithoutResult(status -> status.setRollbackOnly());
                    }))
                    .isInstanceOf(TransactionLostException.class);
        }

        @Test
        void commitsWhatItForgotInTheSameTransaction() {
            assertThatCode(() -> fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        fixture.store.forget(fixture.at(id, 1).id());
                    }))
                    .doesNotThrowAnyException();

            assertThat(fixture.isProcessed(id)).isFalse();
        }

        private TransactionTemplate nested() {
            TransactionTemplate template = new TransactionTemplate(new JdbcTransactionManager(fixture.dataSource));
            template.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
            return template;
        }

        private Connection connection() {
            try {
                return fixture.transactions.dataSource().getConnection();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private static Savepoint savepoint(Connection connection) {
            try {
                return connection.setSavepoint("users_own");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private static void rollback(Connection connection, Savepoint savepoint) {
            try {
                connection.rollback(savepoint);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
