package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
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

    private static final String DIVISION_BY_ZERO = "22012";

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

    private static final String PROVEN = "current_setting('idempotency.claims', true) like ?";

    /**
     * Returns whether all marks are there, in their order; those of other stores may stand between them. Where the commit can have the proof with it, it
     * is put off until then.
     */
    static boolean isSame(Connection connection, Evidence evidence) throws SQLException {
        if (evidence.grants().isEmpty()) {
            return true;
        }
        String marks = "%" + String.join("%", evidence.grants()) + "%";
        return CommittingManager.commitBy(last -> commit(last, marks)) || isThere(connection, marks);
    }

    private static boolean isThere(Connection connection, String marks) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select " + PROVEN)) {
            statement.setString(1, marks);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getBoolean(1);
            }
        }
    }

    /** The driver sends both at once, and the server passes over what stands behind an error: without the marks there is no commit. */
    private static final String PROVE_AND_COMMIT = "select 1 / (case when " + PROVEN + " then 1 else 0 end); COMMIT";

    private static void commit(Connection connection, String marks) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(PROVE_AND_COMMIT)) {
            statement.setString(1, marks);
            statement.execute();
        } catch (SQLException e) {
            if (DIVISION_BY_ZERO.equals(e.getSQLState())) {
                throw new TransactionLostException(Claiming.NOT_THE_SAME, e);
            }
            if (Failures.ABORTED.equals(e.getSQLState())) {
                throw Failures.translated("prove the claim", e);
            }
            throw e;
        }
    }
}
