package io.idempotency.samples.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** The table of payments to be sent. */
final class Outbox {

    private final DataSource source;

    Outbox(DataSource source) {
        this.source = source;
    }

    /** A waiting payment, with its number in the queue. */
    record Waiting(long number, Payment payment) {}

    /** Adds payments to the queue, all or none. */
    void add(List<Payment> payments) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement insert =
                        connection.prepareStatement("insert into outbox (payment) select unnest(?::text[])")) {
            insert.setArray(
                    1,
                    connection.createArrayOf(
                            "text", payments.stream().map(Payment::encode).toArray()));
            insert.executeUpdate();
        }
    }

    /** Returns the first payments of the queue. */
    List<Waiting> first(int limit) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement select =
                        connection.prepareStatement("select number, payment from outbox order by number limit ?")) {
            select.setInt(1, limit);
            List<Waiting> waiting = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    waiting.add(new Waiting(rows.getLong(1), Payment.decode(rows.getString(2))));
                }
            }
            return waiting;
        }
    }

    /** Marks payments as sent, by removing them from the queue. */
    void remove(List<Waiting> sent) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement delete = connection.prepareStatement("delete from outbox where number = any (?)")) {
            delete.setArray(
                    1,
                    connection.createArrayOf(
                            "bigint", sent.stream().map(Waiting::number).toArray()));
            delete.executeUpdate();
        }
    }

    /** Returns the length of the queue. */
    long size() throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement count = connection.prepareStatement("select count(*) from outbox");
                ResultSet rows = count.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
