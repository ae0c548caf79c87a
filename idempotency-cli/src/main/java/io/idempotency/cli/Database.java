package io.idempotency.cli;

import io.idempotency.ConsumerStores;
import io.idempotency.Operations;
import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.outbox.OutboxOperations;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.function.Function;
import javax.sql.DataSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** The library on one connection. Used by one thread. */
final class Database implements AutoCloseable {

    /** Where acts of the command line come from, for the audit. */
    static final String ORIGIN = "cli";

    private final Options options;
    private final DataSource connections;
    private final SingleConnectionDataSource dataSource;
    private final TableStore table;
    private final JournalStore journal;

    private Database(Options options, DataSource connections, SingleConnectionDataSource dataSource) {
        this.options = options;
        this.connections = connections;
        this.dataSource = dataSource;
        this.table = TableStore.builder(dataSource)
                .schema(options.schema())
                .tablePrefix(options.tablePrefix())
                .build();
        this.journal = JournalStore.builder(dataSource)
                .schema(options.schema())
                .tablePrefix(options.tablePrefix())
                .build();
    }

    /** Connects. */
    static Database open(Options options, DataSource connections) {
        try {
            Connection connection = connections.getConnection();
            return new Database(options, connections, new SingleConnectionDataSource(connection, true));
        } catch (SQLException e) {
            throw new IdempotencyException("Could not connect to the database: " + e.getMessage(), e);
        }
    }

    ConsumerStores stores() {
        return ConsumerStores.of(table, journal);
    }

    TableStore table() {
        return table;
    }

    JournalStore journal() {
        return journal;
    }

    /** Returns whether journals remember something; some databases have none. */
    boolean hasJournals() {
        return !journal.messages().consumers().isEmpty();
    }

    /** Returns the verbs for the store that the options or the tables tell. */
    Operations operations() {
        return operations(options.store()
                .<Function<String, ClaimStore>>map(kind -> consumer -> kind == Options.Store.journal ? journal : table)
                .orElseGet(this::stores));
    }

    /** Returns the verbs for one store. */
    Operations operations(Function<String, ClaimStore> ofConsumer) {
        return Operations.of(ofConsumer, quarantine(), Optional.of(replays()), audit())
                .as(options.actor(), ORIGIN);
    }

    JdbcQuarantine quarantine() {
        return JdbcQuarantine.on(dataSource).tablePrefix(options.tablePrefix()).schema(options.schema());
    }

    JdbcOutbox outbox() {
        return JdbcOutbox.on(dataSource).tablePrefix(options.tablePrefix()).schema(options.schema());
    }

    OutboxOperations outboxOperations() {
        return OutboxOperations.of(outbox(), audit(), JdbcTransactions.on(dataSource))
                .as(options.actor(), ORIGIN);
    }

    JdbcReplays replays() {
        return JdbcReplays.on(dataSource).tablePrefix(options.tablePrefix()).schema(options.schema());
    }

    JdbcAudit audit() {
        return JdbcAudit.on(dataSource).tablePrefix(options.tablePrefix()).schema(options.schema());
    }

    /** Returns connections of their own, for works that need several. */
    DataSource connections() {
        return connections;
    }

    /** Counts the rows of a query of the user. */
    long count(String query) {
        try {
            Long rows = new JdbcTemplate(dataSource)
                    .queryForObject("select count(*) from (" + query + ") counted", Long.class);
            return rows == null ? 0 : rows;
        } catch (DataAccessException e) {
            throw new IdempotencyException(
                    "The query cannot be run: " + e.getMostSpecificCause().getMessage(), e);
        }
    }

    /** Returns the tables; Flyway needs connections of its own. */
    Schema schema() {
        return Schema.on(connections).tablePrefix(options.tablePrefix()).schema(options.schema());
    }

    @Override
    public void close() {
        dataSource.destroy();
    }
}
