package io.idempotency.jdbc;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.StoredOutput;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/** The statements of the outbox. An output that was refused is in a negative part, so that no relay reads it. Immutable and thread-safe. */
final class OutboxRows {

    /** A value may have megabytes. */
    private static final int FETCH_SIZE = 20;

    /** A driver that streams has to read the rest of a result that is not wanted. */
    private static final int MOST_STREAMED = 250;

    private static final int MOST_CHARS_OF_REASON = 2_000;
    private static final int NONE = -1;

    /** An output and where it is. */
    record Row(int part, StoredOutput output) {}

    /** @param oldest when the oldest output was added; 0 if there is none */
    record Count(long outputs, long oldest) {}

    private final Tables tables;

    OutboxRows(Tables tables) {
        this.tables = tables;
    }

    private static final String INSERT = """
            insert into ${tables}outbox (part, at_micros, topic, record_partition, record_timestamp, id_value, record_key, record_value, headers)
            values (?, ${clock}, ?, ?, ?, ?, ?, ?, ?)
            """;

    void insert(Connection connection, Dialect dialect, List<Output> outputs) throws SQLException {
        String insert = tables.fill(INSERT.replace("${clock}", dialect.clock()));
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            for (Output output : outputs) {
                statement.setInt(1, part(output));
                statement.setString(2, output.topic());
                statement.setInt(3, Objects.requireNonNullElse(output.partition(), NONE));
                statement.setLong(4, Objects.requireNonNullElse(output.timestamp(), (long) NONE));
                statement.setString(5, output.id());
                statement.setBytes(6, output.key());
                statement.setBytes(7, output.value());
                statement.setBytes(8, StoredHeaders.toBytes(output.headers()));
                if (outputs.size() > 1) {
                    statement.addBatch();
                }
            }
            if (outputs.size() > 1) {
                statement.executeBatch();
            } else {
                statement.executeUpdate();
            }
        }
    }

    /** Outputs with equal keys share a part, and those without a key that name the same partition. */
    private static int part(Output output) {
        if (output.key() == null && output.partition() == null) {
            return ThreadLocalRandom.current().nextInt(OutboxStore.PARTS);
        }
        int hash =
                output.key() == null ? Objects.hash(output.topic(), output.partition()) : Arrays.hashCode(output.key());
        // The highest bits of a product depend on all bits, as in Fibonacci hashing.
        return (hash * 0x9E37_79B9) >>> 28;
    }

    private static final String PARTS = "select part from ${tables}outbox_part";

    List<Integer> parts(Connection connection) throws SQLException {
        return integers(connection, PARTS);
    }

    private static final String INSERT_PART = "insert into ${tables}outbox_part (part) values (?)";

    void insertPart(Connection connection, int part) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(INSERT_PART))) {
            statement.setInt(1, part);
            statement.executeUpdate();
        }
    }

    private static final String WAITING = """
            select p.part from ${tables}outbox_part p
            where exists (select 1 from ${tables}outbox o where o.part = p.part) order by p.part
            """;

    List<Integer> waitingParts(Connection connection) throws SQLException {
        return integers(connection, WAITING);
    }

    private static final String LOCK =
            "select part from ${tables}outbox_part where part in (${parts}) for update skip locked";

    /** Locks those of the parts that nobody has locked. */
    List<Integer> lock(Connection connection, List<Integer> wanted) throws SQLException {
        String parts = wanted.stream().map(String::valueOf).collect(Collectors.joining(", "));
        return integers(connection, LOCK.replace("${parts}", parts));
    }

    private List<Integer> integers(Connection connection, String query) throws SQLException {
        List<Integer> found = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(tables.fill(query))) {
            while (result.next()) {
                found.add(result.getInt(1));
            }
        }
        return found;
    }

    private static final String COLUMNS =
            "number, topic, record_partition, record_timestamp, id_value, record_key, record_value, headers";

    private static final String FIRST =
            "select " + COLUMNS + " from ${tables}outbox where part = ? order by number limit ?";

    /** The driver would fetch all rows at once, or a few by each round trip. So the database counts the bytes, which it knows without reading large values. */
    private static final String FIRST_OF_POSTGRES = "select " + COLUMNS + " from (select o.*, sum("
            + "coalesce(octet_length(record_key), 0) + coalesce(octet_length(record_value), 0))"
            + " over (order by number rows between unbounded preceding and 1 preceding) as bytes_before"
            + " from (select " + COLUMNS + " from ${tables}outbox where part = ? order by number limit ?) o) sized"
            + " where coalesce(bytes_before, 0) < ? order by number";

    /**
     * Returns the first outputs of a part, up to a number of outputs and about so many bytes, and at least one. One statement, because two could see the first of two
     * outputs of a transaction too late. One round trip on PostgreSQL; on other databases they are at most 250.
     */
    List<Row> first(Connection connection, int part, int most, long mostBytes) throws SQLException {
        boolean isCounting = Dialects.isPostgres(connection);
        List<Row> first = new ArrayList<>();
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(isCounting ? FIRST_OF_POSTGRES : FIRST))) {
            statement.setFetchSize(isCounting ? 0 : FETCH_SIZE);
            statement.setInt(1, part);
            statement.setInt(2, isCounting ? most : Math.min(most, MOST_STREAMED));
            if (isCounting) {
                statement.setLong(3, mostBytes);
            }
            try (ResultSet row = statement.executeQuery()) {
                long bytes = 0;
                while (bytes < mostBytes && row.next()) {
                    Row read = new Row(part, new StoredOutput(row.getLong("number"), output(row)));
                    first.add(read);
                    bytes += size(read.output().output());
                }
            }
        }
        return first;
    }

    private static long size(Output output) {
        byte[] key = output.key();
        byte[] value = output.value();
        return (key == null ? 0 : key.length) + (value == null ? 0L : value.length);
    }

    static Output output(ResultSet row) throws SQLException {
        int partition = row.getInt("record_partition");
        long timestamp = row.getLong("record_timestamp");
        return new Output(
                row.getString("id_value"),
                row.getString("topic"),
                partition == NONE ? null : Integer.valueOf(partition),
                timestamp == NONE ? null : Long.valueOf(timestamp),
                row.getBytes("record_key"),
                row.getBytes("record_value"),
                StoredHeaders.fromBytes(row.getBytes("headers")));
    }

    private static final String DELETE = "delete from ${tables}outbox where part = ? and number in (${numbers})";

    /** Deletes by one statement for each part, and all together by one round trip where the driver can. */
    void delete(Connection connection, List<Row> read, List<StoredOutput> acknowledged) throws SQLException {
        if (acknowledged.isEmpty()) {
            return;
        }
        Map<Integer, List<Long>> byPart = new HashMap<>();
        Map<Long, Integer> parts = partsByNumber(read);
        int most = 1;
        for (StoredOutput each : acknowledged) {
            List<Long> numbers =
                    byPart.computeIfAbsent(Objects.requireNonNull(parts.get(each.number())), part -> new ArrayList<>());
            numbers.add(each.number());
            most = Math.max(most, numbers.size());
        }
        // A power of two, so there are few different statements.
        int size = Math.max(1, Integer.highestOneBit(most * 2 - 1));
        String parameters = String.join(", ", Collections.nCopies(size, "?"));
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(DELETE.replace("${numbers}", parameters)))) {
            for (Map.Entry<Integer, List<Long>> each : byPart.entrySet()) {
                List<Long> numbers = each.getValue();
                statement.setInt(1, each.getKey());
                for (int i = 0; i < size; i++) {
                    statement.setLong(i + 2, numbers.get(Math.min(i, numbers.size() - 1)));
                }
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    private static Map<Long, Integer> partsByNumber(Collection<Row> read) {
        Map<Long, Integer> parts = new HashMap<>();
        read.forEach(row -> parts.put(row.output().number(), row.part()));
        return parts;
    }

    private static final String REFUSE =
            "update ${tables}outbox set part = ?, refused = ? where part = ? and number = ?";

    void refuse(Connection connection, List<Row> read, Map<StoredOutput, String> refused) throws SQLException {
        Map<Long, Integer> parts = partsByNumber(read);
        for (Map.Entry<StoredOutput, String> each : refused.entrySet()) {
            long number = each.getKey().number();
            int part = Objects.requireNonNull(parts.get(number));
            String reason = each.getValue().replace('\0', '\uFFFD');
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(REFUSE))) {
                statement.setInt(1, refusedPart(part));
                statement.setString(2, reason.substring(0, Math.min(reason.length(), MOST_CHARS_OF_REASON)));
                statement.setInt(3, part);
                statement.setLong(4, number);
                statement.executeUpdate();
            }
        }
    }

    /** Returns the part of refused outputs of a part, and the other way round. */
    static int refusedPart(int part) {
        return -1 - part;
    }

    private static final String COUNT_WAITING =
            "select count(*), coalesce(min(at_micros), 0) from ${tables}outbox where part >= 0";

    Count countWaiting(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(tables.fill(COUNT_WAITING))) {
            result.next();
            return new Count(result.getLong(1), result.getLong(2));
        }
    }
}
