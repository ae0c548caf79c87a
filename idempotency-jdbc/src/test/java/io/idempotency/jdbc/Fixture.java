package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** A store on a real database, with its own tables and consumer. */
final class Fixture implements AutoCloseable {

    static final String PREFIX = "rules_";

    final HikariDataSource dataSource;
    final TableStore store;
    final JdbcTransactions transactions;
    final JdbcTemplate jdbc;
    final String consumer = "c-" + UUID.randomUUID();

    private Fixture(HikariDataSource dataSource, UnaryOperator<TableStoreBuilder> settings) {
        this.dataSource = dataSource;
        Migrated.once(dataSource, PREFIX);
        store = settings.apply(
                        TableStore.builder(dataSource).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1)))
                .build();
        transactions = (JdbcTransactions) store.transactions();
        jdbc = new JdbcTemplate(dataSource);
    }

    static Fixture on(TestDatabase database) {
        return on(database.pool(6));
    }

    /** With another claim timeout than a second. */
    static Fixture on(TestDatabase database, Duration claimTimeout) {
        return new Fixture(database.pool(6), builder -> builder.claimTimeout(claimTimeout));
    }

    static Fixture on(HikariDataSource dataSource) {
        return new Fixture(dataSource, builder -> builder);
    }

    /** With a transaction manager as users bring it. */
    static Fixture managed(TestDatabase database) {
        HikariDataSource dataSource = database.pool(6);
        return new Fixture(dataSource, builder -> builder.transactionManager(new JdbcTransactionManager(dataSource)));
    }

    Delivery at(String id, long offset) {
        return new Delivery(new MessageId(consumer, id), new Position("orders", 0, offset));
    }

    List<Delivery> inARow(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> at(prefix + i, i)).toList();
    }

    /** Claims in the running transaction. */
    Claim claim(String id) {
        return store.claim(List.of(at(id, 1))).get(0);
    }

    /** Claims in a transaction that commits. */
    Claim claimed(String id) {
        Claim[] claim = new Claim[1];
        transactions.inTransaction(() -> claim[0] = claim(id));
        return claim[0];
    }

    boolean isProcessed(String id) {
        return store.find(at(id, 1).id()).isPresent();
    }

    /** Runs a statement on the running transaction's connection, as a handler would. */
    void handle(String sql) {
        try (Connection connection = transactions.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() {
        dataSource.close();
    }
}
