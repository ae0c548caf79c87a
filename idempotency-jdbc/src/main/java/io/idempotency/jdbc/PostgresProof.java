package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Proves claims on PostgreSQL. Every claim adds a number to a setting of its transaction, and before the commit the setting must hold their sum. It reads
 * no table, so no plan can make it slow.
 *
 * <p>The proof sets a second setting. A deferred trigger at one row of each claim looks for it when the transaction commits, whoever commits it. Without
 * it, the claims stay unproved.
 */
final class PostgresProof {

    private static final String DIVISION_BY_ZERO = "22012";

    private PostgresProof() {}

    /** Adds a mark, its parameter, to the setting. The setting ends with the transaction, and a rollback to a savepoint restores its former value. */
    static final String MARK = """
            set_config('idempotency.claims',
                (coalesce(nullif(current_setting('idempotency.claims', true), ''), '0')::bigint + ?)::text, true)""";

    /** Returns a random mark: small enough that the sum of very many does not overflow, large enough that two are hardly ever equal. */
    static long newMark() {
        return ThreadLocalRandom.current().nextLong(1, 1L << 40);
    }

    /** Marks the transaction for a statement that does not do so itself. */
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
     * Requires that the setting holds the sum of all marks, or that all claims exist. If the transaction manager can prove and commit in one round
     * trip, the proof is left to it.
     */
    static void prove(Connection connection, ActiveTransaction active, Dialect.Remains remains) throws SQLException {
        if (active.evidence().marks() == 0) {
            return;
        }
        boolean isLeft = PostgresDriver.isStoppingAtFailures(connection)
                && ProvingTransactionManager.commitBy(last -> commit(last, active, remains));
        if (!isLeft && !isProven(connection, active)) {
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
     * Proves and commits. The driver sends everything at once, and after an error the server ignores the rest. So without the marks there is no
     * commit, and from the savepoint the transaction can go on.
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
