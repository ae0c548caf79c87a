package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientConnectionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.NestedTransactionNotSupportedException;

@Tag("rule-1.4")
class TransientFailuresTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "40001", "40P01", "40003", "55P03", "57014", "57P01", "57P03", "57P05", "08000", "08006", "25006",
                "25P03", "25P04", "53000", "53100", "53200", "53300", "58000", "58030", "70100", "HYT00", "90131",
                "90067", "90097", "90098", "90121"
            })
    void knowsTheStatesThatSayNothingAboutTheMessage(String state) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state))).isTrue();
        assertThat(TransientFailures.isTransient(
                        new CannotAcquireLockException("x", new RuntimeException(new SQLException("x", state)))))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "HY000,1205", "HY000,1020", "40001,1213", "HY000,1213", "25006,1792", "HY000,1290", "HY000,1836", "HY000,1021",
        "HY001,1037", "HY000,1114", "42000,1203", "42000,1226", "HY000,1412", "HY000,1615", "70100,1317", "70100,1969",
        "61000,60", "61000,54", "72000,8177"
    })
    void knowsTheNumbersOfMariaDbAndOracle(String state, int code) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state, code)))
                .isTrue();
    }

    /** Its number stands beside any text, also beside the name of a table that is missing. */
    @Test
    void knowsARowThatWasDeletedInFirebirdByItsText() {
        assertThat(TransientFailures.isTransient(new SQLException("cannot update erased record", "HY000", 335544382)))
                .isTrue();
        assertThat(TransientFailures.isTransient(new SQLException("IDEMPOTENCY_NAME", "HY000", 335544382)))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "23505,0",
        "22001,0",
        "42P01,0",
        "25P02,0",
        "40002,0",
        "53400,0",
        "54001,0",
        "55006,0",
        "58P01,0",
        "XX000,0",
        "HY000,1045",
        "23000,1062",
        "42000,1205",
        "45000,1644"
    })
    void leavesOtherFailuresToTheMessage(String state, int code) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state, code)))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"45000", "44000", "24000", "75001", "99999"})
    @Tag("rule-7.2")
    void believesNoClassOfAnExceptionThatTheServersStateDoesNotFit(String state) {
        assertThat(TransientFailures.isTransient(new SQLTransientConnectionException("signal", state, 1644)))
                .isFalse();
    }

    @Test
    @Tag("rule-7.2")
    void knowsWhoGetsNoConnection() {
        SQLException refused = new SQLException("password", "28P01");

        assertThat(TransientFailures.isTransient(
                        new SQLTransientConnectionException("request timed out", refused.getSQLState(), refused)))
                .isTrue();
        assertThat(TransientFailures.isTransient(new CannotGetJdbcConnectionException("no", refused)))
                .isTrue();
        assertThat(TransientFailures.isTransient(new CannotCreateTransactionException("no", refused)))
                .isTrue();
        assertThat(TransientFailures.isTransient(new NestedTransactionNotSupportedException("never")))
                .isFalse();
        assertThat(TransientFailures.isTransient(refused)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"25P01", "25P02"})
    @Tag("rule-7.2")
    void knowsASavepointFromATransactionThatCannotBegin(String state) {
        CannotCreateTransactionException savepoint =
                new CannotCreateTransactionException("Could not create JDBC savepoint", new SQLException("x", state));

        assertThat(TransientFailures.isTransient(savepoint)).isFalse();
    }

    @Test
    @Tag("rule-7.2")
    void takesASavepointBehindWhatPassesForWhatPasses() {
        SQLException aborted = new SQLException("aborted", "25P02", new SQLException("deadlock", "40P01"));

        assertThat(TransientFailures.isTransient(new CannotCreateTransactionException("savepoint", aborted)))
                .isTrue();
    }

    @Test
    @Tag("rule-7.5")
    void survivesExceptionsThatThrow() {
        Throwable broken = new IllegalStateException() {
            @Override
            public synchronized Throwable getCause() {
                throw new AssertionError("no cause");
            }
        };
        Throwable endless = new IllegalStateException() {
            @Override
            public synchronized Throwable getCause() {
                return new RuntimeException(this);
            }
        };

        assertThat(TransientFailures.isTransient(broken)).isFalse();
        assertThat(TransientFailures.isTransient(endless)).isFalse();
    }

    @Test
    void knowsWhatAPoolSaysOfAConnectionThatBroke() {
        assertThat(TransientFailures.isTransient(new SQLException("Connection is closed")))
                .isTrue();
        assertThat(TransientFailures.isTransient(new SQLException("Statement is closed")))
                .isFalse();
    }

    @Test
    void followsCausesAndChains() {
        BatchUpdateException batch = new BatchUpdateException();
        batch.setNextException(new SQLException("deadlock", "40P01"));

        assertThat(TransientFailures.isTransient(new IllegalStateException(batch)))
                .isTrue();
        assertThat(TransientFailures.isTransient(new CannotCreateTransactionException(
                        "x", new SQLTransientConnectionException("pool: request timed out"))))
                .isTrue();
        assertThat(TransientFailures.isTransient(
                        new CannotGetJdbcConnectionException("x", new SQLNonTransientConnectionException())))
                .isTrue();
        assertThat(TransientFailures.isTransient(new SQLRecoverableException())).isTrue();
        assertThat(TransientFailures.isTransient(new SQLException(new InterruptedException())))
                .isTrue();
        assertThat(TransientFailures.isTransient(new TransientStoreException("x")))
                .isTrue();
        assertThat(TransientFailures.isTransient(new SQLIntegrityConstraintViolationException("x", "23505")))
                .isFalse();
        assertThat(TransientFailures.isTransient(new IdempotencyException("x"))).isFalse();
    }

    @Test
    void endsOnCausesThatGoInACircle() {
        RuntimeException one = new RuntimeException("one");
        RuntimeException two = new RuntimeException("two", one);
        one.initCause(two);

        assertThat(TransientFailures.isTransient(one)).isFalse();
    }
}
