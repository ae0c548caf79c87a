package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The proof on PostgreSQL: every claim adds a number to a setting of its transaction, and before the commit their sum must be there. No plan can make
 * that slow, whatever the tables hold.
 *
 * <p>The proof leaves a setting, too. A deferred trigger at one row of each claim looks for it when the transaction commits, whoever commits it:
 * without it, what was claimed stays unproved.
 */
final class PostgresProof {

    private static final String DIVISION_BY_ZERO = "22012";

    private PostgresProof() {}

    /** A setting that ends with the transaction, and is what it was before if that is rolled back to a savepoint. Has the mark as its parameter. */
    static final String MARK = """
            set_config('idempotency.claims',
                (coalesce(nullif(current_setting('idempotency.claims', true), ''), '0')::bigint + ?)::text, true)""";

    /** Returns what marks a claim: so small that the sum of very many is still a number, and so large that they are hardly ever the same. */
    static long newMark() {
        return ThreadLocalRandom.current().nextLong(1, 1L << 40);
    }

    /** Marks the transaction on behalf of a statement that does not do so itself. */
    static void prepare(Connection connection, Evidence evidence) throws SQLException {
        long mark = newMark();
        try (PreparedStatement statement = connection.prepareStatement("select " + MARK)) {
            statement.setLong(1, mark);
            statement.execute();
            evidence.addMark(mark);
        }
    }

    private static final String PROVEN = """
            set_config('idempotency.proven',
                case when current_setting('idempotency.claims', true) = ? then 'on' else '' end, true) = 'on'""";

    /**
     * Requires that the sum of all marks is there, or else all that was claimed. Where the commit can have the proof with it, it is put off until
     * then.
     */
    static void prove(Connection connection, ActiveTransaction active, Dialect.Remains remains) throws SQLException {
        if (active.evidence().marks() == 0) {
            return;
        }
        if (!ProvingTransactionManager.commitBy(last -> commit(last, active, remains))
                && !isProven(connection, active)) {
            settle(connection, active, remains);
        }
    }

    private static boolean isProven(Connection connection, ActiveTransaction active) throws SQLException {
        PlainDialect.requireTransaction(connection, active.evidence());
        try (PreparedStatement statement = connection.prepareStatement("select " + PROVEN)) {
            statement.setString(1, String.valueOf(active.evidence().marks()));
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getBoolean(1);
            }
        }
    }

    private static final String SETTLED = "select set_config('idempotency.proven', 'on', true)";

    private static void settle(Connection connection, ActiveTransaction active, Dialect.Remains remains)
            throws SQLException {
        active.evidence().isAnother();
        if (!remains.settle(connection)) {
            throw TransactionLostException.rolledBack(Evidence.NOT_THE_SAME);
        }
        try (PreparedStatement statement = connection.prepareStatement(SETTLED)) {
            statement.execute();
        }
        active.evidence().committedEarly();
    }

    /**
     * The driver sends all of it at once, and the server passes over what stands behind an error: without the marks there is no commit, and behind
     * the savepoint the transaction can go on.
     */
    private static final String PROVE_AND_COMMIT =
            "SAVEPOINT idempotency; select 1 / (case when " + PROVEN + " then 1 else 0 end); COMMIT";

    private static void commit(Connection connection, ActiveTransaction active, Dialect.Remains remains)
            throws SQLException {
        PlainDialect.requireTransaction(connection, active.evidence());
        try (PreparedStatement statement = connection.prepareStatement(PROVE_AND_COMMIT)) {
            statement.setString(1, String.valueOf(active.evidence().marks()));
            statement.execute();
        } catch (SQLException e) {
            if (DIVISION_BY_ZERO.equals(e.getSQLState())) {
                try (PreparedStatement statement = connection.prepareStatement("ROLLBACK TO SAVEPOINT idempotency")) {
                    statement.execute();
                }
                settle(connection, active, remains);
                return;
            }
            if (SqlFailures.ABORTED.equals(e.getSQLState())) {
                throw SqlFailures.translated("prove the claim", e);
            }
            throw e;
        }
    }
}
