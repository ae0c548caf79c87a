package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Transactions that another kind of manager began, as JPA's does: it binds its connection without the marks that JDBC's managers know. */
@Tag("rule-1.5")
class ForeignTransactionTest {

    private static HikariDataSource dataSource;
    private static TableStore store;
    private final Delivery delivery =
            new Delivery(new MessageId("billing", UUID.randomUUID().toString()), new Position("orders", 0, 1));
    private final TransactionTemplate foreign = new TransactionTemplate(new ForeignManager());

    @BeforeAll
    static void open() {
        dataSource = TestDatabase.POSTGRESQL.pool(4);
        Schema.on(dataSource).tablePrefix("foreign_").migrate();
        store = TableStore.builder(dataSource).tablePrefix("foreign_").build();
    }

    @AfterAll
    static void close() {
        dataSource.close();
    }

    private static final class ForeignManager extends AbstractPlatformTransactionManager {

        private static final long serialVersionUID = 1L;

        @Override
        protected Object doGetTransaction() {
            return new Object();
        }

        @Override
        protected void doBegin(Object transaction, TransactionDefinition definition) {
            try {
                Connection connection = dataSource.getConnection();
                connection.setAutoCommit(false);
                TransactionSynchronizationManager.bindResource(dataSource, new ConnectionHolder(connection));
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private static Connection connection() {
            Object holder = TransactionSynchronizationManager.getResource(dataSource);
            return ((ConnectionHolder) java.util.Objects.requireNonNull(holder)).getConnection();
        }

        @Override
        protected void doCommit(DefaultTransactionStatus status) {
            try {
                connection().commit();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected void doRollback(DefaultTransactionStatus status) {
            try {
                connection().rollback();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected void doCleanupAfterCompletion(Object transaction) {
            try (Connection connection = connection()) {
                TransactionSynchronizationManager.unbindResource(dataSource);
                connection.setAutoCommit(true);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private boolean isKnown() {
        return store.find(delivery.id()).isPresent();
    }

    private Claim claim() {
        return store.claim(List.of(delivery)).get(0);
    }

    @Test
    void areJoinedByClaims() {
        foreign.executeWithoutResult(status -> {
            assertThat(store.transactions().isActive()).isTrue();
            assertThat(claim().isGranted()).isTrue();
            status.setRollbackOnly();
        });
        assertThat(isKnown()).isFalse();

        foreign.executeWithoutResult(status -> claim());
        assertThat(isKnown()).isTrue();
    }

    @Test
    void areNotCommittedByWhatJoinsThem() {
        foreign.executeWithoutResult(status -> {
            store.transactions().inTransaction(this::claim);
            store.quarantine(Claim.granted(delivery));
            store.unquarantine(delivery);
            store.forget(delivery.id());
            claim();
            status.setRollbackOnly();
        });

        assertThat(isKnown()).isFalse();
    }

    @Test
    void doNotCommitIfWorkThatJoinedThemFailed() {
        assertThatThrownBy(() -> foreign.executeWithoutResult(status -> {
                    try {
                        store.transactions().inTransaction(() -> {
                            claim();
                            throw new IllegalStateException("no");
                        });
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("no");
                    }
                }))
                .isInstanceOf(TransactionLostException.class);
        assertThat(isKnown()).isFalse();
    }
}
