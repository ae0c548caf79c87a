package io.idempotency.jdbc;

import io.idempotency.store.StoredMessages;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;

/**
 * The retentions of consumers, stored beside their names, for one kind of memory. The longest time that any application ever gave counts, so no application forgets messages that
 * another one needs. The messages of a consumer that no longer exists are forgotten, too. Thread-safe.
 */
final class Retentions {

    /** How long the messages of a table are remembered if nobody has said: one day more than Kafka's default of seven. */
    static final Duration DEFAULT = Duration.ofDays(8);

    private static final Logger LOG = Loggers.PURGER;

    /** With this begin the names of the library's own leases. They are rows like those of others, but nobody chose a retention for them. */
    private static final String OF_THE_LIBRARY = "idempotency.";

    private final Tables tables;
    private final String column;
    private final String memory;
    private final Set<String> consumers = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> said = new ConcurrentHashMap<>();
    private final Map<String, Long> known = new ConcurrentHashMap<>();

    private Retentions(Tables tables, String column, String memory) {
        this.tables = tables;
        this.column = column;
        this.memory = memory;
    }

    static Retentions ofMessages(Tables tables) {
        return new Retentions(tables, "retention_micros", "message");
    }

    static Retentions ofJournals(Tables tables) {
        return new Retentions(tables, "journal_retention_micros", "journal");
    }

    /** Notes a consumer of this process. Its retention is stored from now on. */
    void met(String consumer) {
        // Each claim comes here, and a look is cheaper than an addition.
        if (!consumers.contains(consumer)) {
            consumers.add(consumer);
        }
    }

    /**
     * Stores the retention of the consumers of this process, unless a longer one is stored. Does so once for each consumer.
     *
     * @param connections runs this in a transaction of its own, without other locks
     */
    void say(Connections connections, long micros) {
        for (String consumer : consumers) {
            Long before = said.get(consumer);
            if (before == null || before < micros) {
                long stored = connections.alone("store a retention", connection -> {
                    raise(connection, consumer, micros);
                    return stored(connection, consumer);
                });
                if (stored > micros && before == null && !consumer.startsWith(OF_THE_LIBRARY)) {
                    warn(consumer, stored, micros);
                }
                // The name is not committed yet: next time.
                if (stored > 0) {
                    said.put(consumer, micros);
                    known.put(consumer, stored);
                }
            }
        }
    }

    /** Returns the retention of a consumer that this process has stored or read; empty before its first purge. */
    Optional<Duration> known(String consumer) {
        return Optional.ofNullable(known.get(consumer)).map(micros -> Duration.of(micros, ChronoUnit.MICROS));
    }

    /**
     * Returns the stored retention of a consumer whose name is stored. Before that, stores the given one unless a longer one is stored; without a given
     * one, the default unless any is stored.
     */
    long given(Connections connections, String consumer, Optional<Duration> retention) {
        return connections.alone("store a retention", connection -> {
            if (retention.isPresent() || stored(connection, consumer) == 0) {
                raise(connection, consumer, StoredTime.micros(retention.orElse(DEFAULT)));
            }
            return stored(connection, consumer);
        });
    }

    private void warn(String consumer, long stored, long micros) {
        LOG.warn(
                "Messages of {} are remembered for {}, because another application or an earlier setting asked for it, not for {}. If nobody"
                        + " needs them that long: update {} set {} = {} where name = '{}'",
                consumer,
                Duration.of(stored, ChronoUnit.MICROS),
                Duration.of(micros, ChronoUnit.MICROS),
                tables.name(),
                column,
                micros,
                consumer);
    }

    private static final String RAISE = "update ${tables}name set ${column} = ? where name = ? and ${column} < ?";

    private void raise(Connection connection, String consumer, long micros) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(filled(RAISE))) {
            statement.setLong(1, micros);
            statement.setString(2, consumer);
            statement.setLong(3, micros);
            statement.executeUpdate();
        }
    }

    private static final String STORED = "select ${column} from ${tables}name where name = ?";

    private long stored(Connection connection, String consumer) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(filled(STORED))) {
            statement.setString(1, consumer);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() ? result.getLong(1) : 0;
            }
        }
    }

    private static final String RETAINED = "select n.${column}, (${forgotten}) from ${tables}name n where n.name = ?";

    /**
     * Returns how long the messages of a consumer are remembered.
     *
     * @param forgotten a query for the time of the newest message that was purged, of the consumer {@code n.id}
     */
    StoredMessages.Retained retained(Connection connection, String consumer, String forgotten, long now)
            throws SQLException {
        String sql = filled(RETAINED.replace("${forgotten}", forgotten));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, consumer);
            try (ResultSet result = statement.executeQuery()) {
                if (!result.next()) {
                    return new StoredMessages.Retained(Optional.empty(), Optional.empty());
                }
                long micros = result.getLong(1);
                long since = Math.max(result.getLong(2), micros == 0 ? 0 : now - micros);
                return new StoredMessages.Retained(
                        micros == 0 ? Optional.empty() : Optional.of(Duration.of(micros, ChronoUnit.MICROS)),
                        since == 0 ? Optional.empty() : Optional.of(StoredTime.instant(since)));
            }
        }
    }

    private static final String ALL = "select id, ${column} from ${tables}name where ${column} > 0";

    /** Returns the stored retentions in microseconds, by the numbers of the consumers. */
    SortedMap<Integer, Long> all(Connection connection) throws SQLException {
        SortedMap<Integer, Long> all = new TreeMap<>();
        try (PreparedStatement statement = connection.prepareStatement(filled(ALL));
                ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                all.put(result.getInt(1), result.getLong(2));
            }
        }
        return all;
    }

    private static final String CONSUMERS = """
            select n.name from ${tables}name n
            where n.${column} > 0 or exists (select 1 from ${tables}${memory} m where m.consumer = n.id)
            """;

    /** Returns the consumers that have a retention, or of which something is remembered. Other names are those of streams. */
    SortedSet<String> consumers(Connection connection) throws SQLException {
        SortedSet<String> names = new TreeSet<>();
        try (PreparedStatement statement = connection.prepareStatement(filled(CONSUMERS));
                ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                names.add(result.getString(1));
            }
        }
        return names;
    }

    private String filled(String sql) {
        return tables.fill(sql.replace("${column}", column).replace("${memory}", memory));
    }
}
