package io.idempotency.benchmarks;

import io.idempotency.jdbc.JournalStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** Reads the journals of a topic, as a store does at its first claim, or for comparison only their rows. */
final class JournalReading {

    private static final int ROWS_AT_A_TIME = 200;
    private static final int FILTERS_AT_A_TIME = 4;
    private static final int ID_BYTES = 16;

    private final DataSource dataSource;

    JournalReading(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    Outcome warmUp(Round round) {
        JournalStore store = Library.journal(dataSource, round);
        List<Delivery> deliveries = round.partitions().stream()
                .map(partition -> new Delivery(
                        new MessageId(Library.CONSUMER, "none"), new Position(round.topic(), partition, 0)))
                .toList();
        long began = System.nanoTime();
        store.prepare(deliveries);
        double seconds = (System.nanoTime() - began) / 1e9;
        return Outcome.of(store.rememberedMessages(), seconds, store.memoryBytes());
    }

    private static final String OF_JOURNAL =
            " where consumer = (select id from %sname where name = ?) and place = ((select id from %sname where name = ?)::bigint << 32) + ?";

    private static final String HEADS = "select messages from %sarchive" + OF_JOURNAL;

    private static final String FILTERS = "select hashes, quarantined, filter_bits from %sarchive_filter" + OF_JOURNAL
            + " order by archive, first_hash";

    private static final String SEGMENTS =
            "select version, token, at_micros, first_offset, kind, gaps, ids from %ssegment" + OF_JOURNAL
                    + " order by version";

    /** Reads the rows that a store reads. Builds nothing. */
    Outcome plainRead(Round round) throws SQLException {
        long messages = 0;
        long began = System.nanoTime();
        try (Connection connection = dataSource.getConnection()) {
            // The driver streams only then.
            connection.setAutoCommit(false);
            for (int partition : round.partitions()) {
                messages += read(connection, round, HEADS, ROWS_AT_A_TIME, partition, row -> row.getLong(1));
                read(connection, round, FILTERS, FILTERS_AT_A_TIME, partition, JournalReading::filter);
                messages += read(connection, round, SEGMENTS, ROWS_AT_A_TIME, partition, JournalReading::segment);
            }
            connection.commit();
        }
        return Outcome.of(messages, (System.nanoTime() - began) / 1e9, 0);
    }

    /** Reads all columns of a row, and returns a number of it. */
    @FunctionalInterface
    private interface Row {
        long read(ResultSet row) throws SQLException;
    }

    /** Returns the bytes of the filter. */
    private static long filter(ResultSet row) throws SQLException {
        row.getBytes(1);
        row.getBytes(2);
        return row.getBytes(3).length;
    }

    /** Returns the number of messages. */
    private static long segment(ResultSet row) throws SQLException {
        for (int column = 1; column <= 5; column++) {
            row.getLong(column);
        }
        row.getBytes(6);
        return row.getBytes(7).length / ID_BYTES;
    }

    /** Returns the sum of a number over all rows of a journal. */
    private static long read(Connection connection, Round round, String query, int rowsAtATime, int partition, Row row)
            throws SQLException {
        long sum = 0;
        try (PreparedStatement statement =
                connection.prepareStatement(query.replace("%s", round.library().tables()))) {
            statement.setFetchSize(rowsAtATime);
            statement.setString(1, Library.CONSUMER);
            statement.setString(2, round.topic());
            statement.setInt(3, partition);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    sum += row.read(rows);
                }
            }
        }
        return sum;
    }
}
