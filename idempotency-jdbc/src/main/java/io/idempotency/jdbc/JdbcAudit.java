package io.idempotency.jdbc;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;

/**
 * Keeps audit records in a table beside those of the stores. It joins the transaction that is active on the data source, or uses one of its own. Give it the
 * same data source, prefix and schema as the store. Immutable and thread-safe.
 */
public final class JdbcAudit implements AuditStore {

    private static final int MOST_CHARS_OF_NAME = 255;
    /** An id is no longer. */
    private static final int MOST_CHARS_OF_TEXT = 4096;

    private final DataSource dataSource;
    private final Tables tables;
    private final Connections connections;
    private final StoreDatabase database;

    private JdbcAudit(DataSource dataSource, Tables tables) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.connections = new Connections(JdbcTransactions.on(dataSource));
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
    }

    /** Returns the audit with the default table names on the data source. Does not connect yet. */
    public static JdbcAudit on(DataSource dataSource) {
        return new JdbcAudit(dataSource, Tables.standard());
    }

    /** Returns an audit whose table names begin with the prefix. */
    public JdbcAudit tablePrefix(String prefix) {
        return new JdbcAudit(dataSource, new Tables(tables.schema(), prefix));
    }

    /** Returns an audit whose tables are in the schema. */
    public JdbcAudit schema(String name) {
        return new JdbcAudit(dataSource, new Tables(name, tables.prefix()));
    }

    private static final String INSERT = """
            insert into ${tables}audit (at_micros, token, actor, origin, verb, consumer, messages, subject, reason)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    /** {@inheritDoc} Longer texts are cut. */
    @Override
    public Key write(AuditRecord change) {
        return connections.joining("write to the audit", connection -> {
            long now = database.now(connection);
            long token = ThreadLocalRandom.current().nextLong();
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(INSERT))) {
                statement.setLong(1, now);
                statement.setLong(2, token);
                statement.setString(3, stored(change.actor(), MOST_CHARS_OF_NAME));
                statement.setString(4, change.origin());
                statement.setString(5, change.verb());
                statement.setString(6, change.consumer());
                statement.setLong(7, change.messages());
                statement.setString(8, stored(change.subject(), MOST_CHARS_OF_TEXT));
                statement.setString(9, stored(change.reason(), MOST_CHARS_OF_TEXT));
                statement.executeUpdate();
            }
            return new Key(StoredTime.instant(now), token);
        });
    }

    /** PostgreSQL does not accept the character 0 in texts. */
    private static String stored(String text, int most) {
        return text.substring(0, Math.min(text.length(), most)).replace('\0', '\uFFFD');
    }

    private static final String UPDATE =
            "update ${tables}audit set messages = ?, subject = ? where at_micros = ? and token = ?";

    @Override
    public void update(Key key, long messages, String subject) {
        connections.joining("write to the audit", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(UPDATE))) {
                statement.setLong(1, messages);
                statement.setString(2, stored(subject, MOST_CHARS_OF_TEXT));
                statement.setLong(3, StoredTime.micros(key.at()));
                statement.setLong(4, key.token());
                return statement.executeUpdate();
            }
        });
    }

    private static final String LIST = """
            select at_micros, actor, origin, verb, consumer, messages, subject, reason from ${tables}audit
            where at_micros >= ? ${consumer} order by at_micros desc, token desc ${first}
            """;

    @Override
    public List<AuditRecord> list(Instant from, int limit) {
        return list(Optional.empty(), from, limit);
    }

    @Override
    public List<AuditRecord> list(String consumer, Instant from, int limit) {
        return list(Optional.of(consumer), from, limit);
    }

    private List<AuditRecord> list(Optional<String> consumer, Instant from, int limit) {
        return connections.joining("read the audit", connection -> {
            String sql = tables.fill(LIST)
                    .replace("${consumer}", consumer.isPresent() ? "and consumer = ?" : "")
                    .replace("${first}", database.dialect(connection).first(Math.max(1, limit)));
            List<AuditRecord> records = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setLong(1, StoredTime.micros(from));
                if (consumer.isPresent()) {
                    statement.setString(2, consumer.get());
                }
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        records.add(record(row));
                    }
                }
            }
            return records;
        });
    }

    private static AuditRecord record(ResultSet row) throws SQLException {
        return new AuditRecord(
                StoredTime.instant(row.getLong(1)),
                row.getString(2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                row.getLong(6),
                row.getString(7),
                Objects.requireNonNullElse(row.getString(8), ""));
    }

    private static final String OLDEST =
            "select at_micros, token from ${tables}audit where at_micros < ? order by at_micros, token ${first}";

    private static final String DELETE = "delete from ${tables}audit where at_micros = ? and token = ?";

    @Override
    public int purge(Duration olderThan, int limit) {
        return connections.joining("purge the audit", connection -> {
            long before = database.now(connection) - StoredTime.micros(olderThan);
            List<Key> old = oldest(connection, before, limit);
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(DELETE))) {
                int deleted = 0;
                for (Key each : old) {
                    statement.setLong(1, StoredTime.micros(each.at()));
                    statement.setLong(2, each.token());
                    deleted += statement.executeUpdate();
                }
                return deleted;
            }
        });
    }

    private List<Key> oldest(Connection connection, long before, int limit) throws SQLException {
        String sql = tables.fill(OLDEST)
                .replace("${first}", database.dialect(connection).first(Math.max(1, limit)));
        List<Key> keys = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, before);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    keys.add(new Key(StoredTime.instant(row.getLong(1)), row.getLong(2)));
                }
            }
        }
        return keys;
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.qualifiedPrefix() + "audit";
    }
}
