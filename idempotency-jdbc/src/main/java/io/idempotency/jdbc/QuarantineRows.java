package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads and writes rows of the table of quarantined messages. Immutable and thread-safe. */
final class QuarantineRows {

    private static final int MOST_CHARS_OF_TYPE = 255;

    private final Tables tables;

    QuarantineRows(Tables tables) {
        this.tables = tables;
    }

    /** Where a message is kept: its key, its place and its offset. */
    record Kept(MessageArrival arrival, Object id, long now) {}

    private static final String INSERT = """
            insert into ${tables}quarantine (at_micros, record_timestamp, record_offset, place, key_hash, attempts, behind, doubtful, origin, failure_type,
                failure_group, id_value, failure, record_key, record_value, headers, generation, first_at_micros, consumer, message_id)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    void insert(Connection connection, Dialect dialect, QuarantinedMessage message, Kept kept) throws SQLException {
        dialect.update(connection, tables.fill(INSERT), statement -> setAll(statement, message, kept));
    }

    /** The clock may be behind the last generation. */
    private static final String UPDATE = """
            update ${tables}quarantine set at_micros = ?, record_timestamp = ?, record_offset = ?, place = ?, key_hash = ?, attempts = ?, behind = ?,
                doubtful = ?, origin = ?, failure_type = ?, failure_group = ?, id_value = ?, failure = ?, record_key = ?, record_value = ?, headers = ?,
                generation = case when generation < ? then ? else generation + 1 end, replay = null
            where consumer = ? and message_id = ?
            """;

    /** Returns whether there was a row. */
    boolean update(Connection connection, Dialect dialect, QuarantinedMessage message, Kept kept) throws SQLException {
        return dialect.update(connection, tables.fill(UPDATE), statement -> setAll(statement, message, kept)) > 0;
    }

    /** Sets the parameters, which an insert and an update have in the same order. */
    private static void setAll(PreparedStatement statement, QuarantinedMessage message, Kept kept) throws SQLException {
        Payload payload = message.payload();
        statement.setLong(1, kept.now());
        statement.setLong(2, message.delivery().timestamp());
        statement.setLong(3, kept.arrival().offset());
        statement.setLong(4, kept.arrival().place());
        statement.setLong(5, message.keyHash());
        statement.setInt(6, message.attempts());
        statement.setInt(7, message.isBehind() ? 1 : 0);
        statement.setInt(8, message.isDoubtful() ? 1 : 0);
        statement.setString(9, payload.origin().name());
        statement.setString(10, type(message.failure().type()));
        statement.setString(11, message.failure().group());
        statement.setString(12, message.delivery().id().value());
        statement.setString(13, printable(message.failure().text(), Integer.MAX_VALUE));
        statement.setBytes(14, payload.key());
        statement.setBytes(15, payload.value());
        statement.setBytes(16, StoredHeaders.toBytes(payload.headers()));
        statement.setLong(17, kept.now());
        statement.setLong(18, kept.now());
        statement.setInt(19, kept.arrival().key().consumer());
        statement.setObject(20, kept.id());
    }

    /** Returns the name of an exception class as it is stored. */
    static String type(String name) {
        return printable(name, MOST_CHARS_OF_TYPE);
    }

    /** PostgreSQL does not accept the character 0 in texts. */
    private static String printable(String text, int most) {
        return text.substring(0, Math.min(text.length(), most)).replace('\0', '\uFFFD');
    }

    private static final String FIND = """
            select record_offset, place, record_timestamp, key_hash, attempts, behind, doubtful, origin, failure_type, failure_group, failure, record_key,
                record_value, headers, generation, first_at_micros, at_micros, ${running} as replay
            from ${tables}quarantine q where q.consumer = ? and q.message_id = ?
            """.replace("${running}", QuarantineSearch.RUNNING_REPLAY);

    /** Returns the query for an entry, with two parameters, in the order in which {@link #entry} reads it. */
    String find() {
        return tables.fill(FIND);
    }

    /** Reads the entry of the current row. */
    static QuarantineEntry entry(ResultSet row, MessageId id, Position position) throws SQLException {
        Payload payload = new Payload(
                row.getBytes("record_key"),
                row.getBytes("record_value"),
                StoredHeaders.fromBytes(row.getBytes("headers")),
                Payload.Origin.valueOf(row.getString("origin")));
        QuarantineFailure failure = new QuarantineFailure(
                row.getString("failure_type"), row.getString("failure_group"), row.getString("failure"));
        QuarantinedMessage message = new QuarantinedMessage(
                new Delivery(id, position, row.getLong("record_timestamp")),
                payload,
                failure,
                row.getInt("attempts"),
                row.getLong("key_hash"),
                row.getInt("behind") != 0,
                row.getInt("doubtful") != 0);
        return new QuarantineEntry(
                message,
                row.getLong("generation"),
                StoredTime.instant(row.getLong("first_at_micros")),
                StoredTime.instant(row.getLong("at_micros")),
                Optional.ofNullable(row.getString("replay")));
    }

    private static final String LIST = """
            select id_value from ${tables}quarantine where consumer = ? order by first_at_micros, message_id
            ${first}
            """;

    /** Returns the ids of a consumer, in the order of their first quarantine. */
    List<String> ids(Connection connection, int consumer, String first) throws SQLException {
        List<String> ids = new ArrayList<>();
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(LIST).replace("${first}", first))) {
            statement.setInt(1, consumer);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    ids.add(result.getString(1));
                }
            }
        }
        return ids;
    }

    private static final String TOTALS = """
            select n.name, count(*), min(q.first_at_micros) from ${tables}quarantine q
            join ${tables}name n on n.id = q.consumer group by n.name
            """;

    /** Counts the rows of each consumer, by its name. */
    SortedMap<String, QuarantineTotal> totals(Connection connection, long now) throws SQLException {
        SortedMap<String, QuarantineTotal> totals = new TreeMap<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(TOTALS));
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                long oldest = row.getLong(3);
                totals.put(
                        row.getString(1),
                        new QuarantineTotal(
                                row.getLong(2),
                                StoredTime.instant(oldest),
                                Duration.of(Math.max(0, now - oldest), ChronoUnit.MICROS)));
            }
        }
        return totals;
    }
}
