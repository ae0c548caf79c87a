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
        return Outcome.of(round.messages(), seconds, store.memoryBytes());
    }

    private static final String READ = """
            select version, token, at_micros, first_offset, kind, gaps, ids from %ssegment
            where consumer = (select id from %sname where name = ?) and place = ((select id from %sname where name = ?)::bigint << 32) + ?
            order by version
            """;

    Outcome plainRead(Round round) throws SQLException {
        String query = READ.replace("%s", round.tables());
        long bytes = 0;
        long began = System.nanoTime();
        try (Connection connection = dataSource.getConnection()) {
            // The driver streams only then.
            connection.setAutoCommit(false);
            for (int partition : round.partitions()) {
                bytes += read(connection, query, round.topic(), partition);
            }
            connection.commit();
        }
        return Outcome.of(bytes / ID_BYTES, (System.nanoTime() - began) / 1e9, 0);
    }

    private static long read(Connection connection, String query, String topic, int partition) throws SQLException {
        long bytes = 0;
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setFetchSize(ROWS_AT_A_TIME);
            statement.setString(1, Library.CONSUMER);
            statement.setString(2, topic);
            statement.setInt(3, partition);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    for (int column = 1; column <= 5; column++) {
                        rows.getLong(column);
                    }
                    rows.getBytes(6);
                    bytes += rows.getBytes(7).length;
                }
            }
        }
        return bytes;
    }
}
