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

@Tag("rule-1.4")
class TransientFailuresTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "40001", "40P01", "55P03", "57P01", "57P03", "08000", "08006", "53300", "HYT00", "25P03", "90131",
                "90067", "90098", "90121"
            })
    void knowsTheStatesThatSayNothingAboutTheMessage(String state) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state))).isTrue();
        assertThat(TransientFailures.isTransient(
                        new CannotAcquireLockException("x", new RuntimeException(new SQLException("x", state)))))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"HY000,1205", "HY000,1020", "40001,1213", "HY000,1213"})
    void knowsMariaDbsNumbers(String state, int code) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state, code)))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"23505,0", "22001,0", "42P01,0", "25P02,0", "57014,0", "HY000,1045", "23000,1062"})
    void leavesOtherFailuresToTheMessage(String state, int code) {
        assertThat(TransientFailures.isTransient(new SQLException("x", state, code)))
                .isFalse();
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
