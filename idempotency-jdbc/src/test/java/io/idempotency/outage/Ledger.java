package io.idempotency.outage;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A pool, the table store on it, and the effects that handlers of one consumer write in the store's transactions. */
final class Ledger implements AutoCloseable {

    private final String consumer;
    private final HikariDataSource pool;
    private final TableStore store;
    private final DataSource joined;

    private Ledger(String consumer, HikariDataSource pool) {
        this.consumer = consumer;
        this.pool = pool;
        this.store =
                TableStore.builder(pool).claimTimeout(Duration.ofSeconds(1)).build();
        this.joined = JdbcTransactions.on(pool).dataSource();
    }

    /** Opens a pool with short timeouts. Does not connect yet. */
    static Ledger open(String consumer, String url, int connections) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(500);
        config.setValidationTimeout(250);
        config.setInitializationFailTimeout(-1);
        return new Ledger(consumer, new HikariDataSource(config));
    }

    /** Returns a consumer name that is not used yet. */
    static String anyConsumer() {
        return "step-" + UUID.randomUUID().toString().substring(0, 8);
    }

    String consumer() {
        return consumer;
    }

    HikariDataSource pool() {
        return pool;
    }

    TableStore store() {
        return store;
    }

    /** Returns connections that take part in the running transaction. */
    DataSource joined() {
        return joined;
    }

    /** Enters the effect of a message. */
    void enter(ConsumerRecord<?, String> message) throws SQLException {
        try (Connection connection = joined.getConnection();
                PreparedStatement insert = connection.prepareStatement(
                        "insert into effect (consumer, part, record_offset, id) values (?, ?, ?, ?)")) {
            insert.setString(1, consumer);
            insert.setInt(2, message.partition());
            insert.setLong(3, message.offset());
            insert.setString(4, message.value());
            insert.executeUpdate();
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
