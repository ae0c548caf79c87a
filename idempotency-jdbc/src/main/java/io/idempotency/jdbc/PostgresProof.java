package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The proof on PostgreSQL: every claim adds a mark to a setting of its transaction, and before the commit all marks must be there. No plan can make
 * that slow, whatever the tables hold.
 */
final class PostgresProof {

    private PostgresProof() {}

    /** A setting that ends with the transaction, and is what it was before if that is rolled back to a savepoint. Has the mark as its parameter. */
    static final String MARK =
            "set_config('idempotency.claims', concat(current_setting('idempotency.claims', true), ?::text), true)";

    /** Returns what marks a claim. Numbers of one length: one cannot be taken for a part of others. */
    static String newMark() {
        return Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE);
    }

    /** Marks the transaction on behalf of a statement that does not do so itself. */
    static void prepare(Connection connection, Evidence evidence) throws SQLException {
        String mark = newMark();
        try (PreparedStatement statement = connection.prepareStatement("select " + MARK)) {
            statement.setString(1, mark);
            statement.execute();
            evidence.add(mark);
        }
    }

    private static final String PROVE = "select current_setting('idempotency.claims', true) like ?";

    /** Returns whether all marks are there, in their order; those of other stores may stand between them. */
    static boolean isSame(Connection connection, Evidence evidence) throws SQLException {
        if (evidence.grants().isEmpty()) {
            return true;
        }
        try (PreparedStatement statement = connection.prepareStatement(PROVE)) {
            statement.setString(1, "%" + String.join("%", evidence.grants()) + "%");
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getBoolean(1);
            }
        }
    }
}
