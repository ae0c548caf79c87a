package io.idempotency.jdbc;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.RefusedOutput;
import io.idempotency.outbox.RefusedSummary;
import io.idempotency.outbox.StoredOutput;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The statements on refused outputs, whose parts are negative. Immutable and thread-safe. */
record RefusedRows(Tables tables) {

    private static final String COUNT_ALL = "select count(*) from ${tables}outbox where part < 0";

    long count(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(tables.fill(COUNT_ALL))) {
            result.next();
            return result.getLong(1);
        }
    }

    private static final String LIST = """
            select number, topic, id_value, at_micros, coalesce(octet_length(record_value), 0), refused
            from ${tables}outbox where part < 0 and number > ? ${topic} order by number ${first}
            """;

    List<RefusedSummary> list(Connection connection, Optional<String> topic, long after, String first)
            throws SQLException {
        String list = LIST.replace("${topic}", topic.isPresent() ? "and topic = ?" : "")
                .replace("${first}", first);
        List<RefusedSummary> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(list))) {
            statement.setLong(1, after);
            if (topic.isPresent()) {
                statement.setString(2, topic.get());
            }
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    found.add(new RefusedSummary(
                            row.getLong(1),
                            row.getString(2),
                            row.getString(3),
                            StoredTime.instant(row.getLong(4)),
                            row.getLong(5),
                            Objects.requireNonNullElse(row.getString(6), "")));
                }
            }
        }
        return found;
    }

    private static final String FIND = """
            select number, at_micros, refused, topic, record_partition, record_timestamp, id_value, record_key, record_value, headers
            from ${tables}outbox where part in (${refused}) and number = ?
            """;

    Optional<RefusedOutput> find(Connection connection, long number) throws SQLException {
        try (PreparedStatement statement = prepared(connection, FIND, number);
                ResultSet row = statement.executeQuery()) {
            return row.next()
                    ? Optional.of(new RefusedOutput(
                            new StoredOutput(row.getLong(1), OutboxRows.output(row)),
                            StoredTime.instant(row.getLong(2)),
                            Objects.requireNonNullElse(row.getString(3), "")))
                    : Optional.empty();
        }
    }

    private static final String COUNT = "select topic, count(*) from ${tables}outbox where part < 0 group by topic";

    SortedMap<String, Long> countByTopic(Connection connection) throws SQLException {
        SortedMap<String, Long> counts = new TreeMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(tables.fill(COUNT))) {
            while (row.next()) {
                counts.put(row.getString(1), row.getLong(2));
            }
        }
        return counts;
    }

    private static final String RESEND =
            "update ${tables}outbox set part = -1 - part, refused = null where part in (${refused}) and number = ?";

    boolean resend(Connection connection, long number) throws SQLException {
        return changeRefused(connection, RESEND, number);
    }

    private static final String RESEND_ALL =
            "update ${tables}outbox set part = -1 - part, refused = null where part < 0 and topic = ?";

    int resendAll(Connection connection, String topic) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(RESEND_ALL))) {
            statement.setString(1, topic);
            return statement.executeUpdate();
        }
    }

    private static final String DISCARD = "delete from ${tables}outbox where part in (${refused}) and number = ?";

    boolean discard(Connection connection, long number) throws SQLException {
        return changeRefused(connection, DISCARD, number);
    }

    private static final String REFUSED_PARTS = IntStream.range(0, OutboxStore.PARTS)
            .map(OutboxRows::refusedPart)
            .mapToObj(String::valueOf)
            .collect(Collectors.joining(", "));

    private boolean changeRefused(Connection connection, String sql, long number) throws SQLException {
        try (PreparedStatement statement = prepared(connection, sql, number)) {
            return statement.executeUpdate() == 1;
        }
    }

    private PreparedStatement prepared(Connection connection, String sql, long number) throws SQLException {
        PreparedStatement statement =
                connection.prepareStatement(tables.fill(sql.replace("${refused}", REFUSED_PARTS)));
        statement.setLong(1, number);
        return statement;
    }
}
