package io.idempotency.jdbc;

import io.idempotency.outbox.OutboxStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for announced outputs by PostgreSQL's {@code listen}, on a connection and a thread of its own. A lost connection is replaced after 100 ms to 10 s. The
 * thread ends if the database or the driver has no notifications. Thread-safe.
 */
final class OutboxListening implements OutboxStore.Listening {

    /** In every schema: whoever is woken in vain looks in vain. */
    static final String CHANNEL = "${prefix}outbox";

    private static final Logger log = LoggerFactory.getLogger(JdbcOutbox.class);

    private static final Duration FIRST_WAIT = Duration.ofMillis(100);
    private static final Duration MOST_WAIT = Duration.ofSeconds(10);
    private static final Duration JOIN = Duration.ofSeconds(5);

    /** How often the thread looks whether it is to end. A notification cuts that short. */
    private static final Duration LOOK = Duration.ofMillis(200);

    /** After so long without a notification the connection is tried: a firewall may have forgotten it. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final int SECONDS_OF_TRIAL = 5;

    private final DataSource dataSource;
    private final String listen;
    private final String unlisten;
    private final Runnable action;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "idempotency-outbox-listening");
    private int failures;

    private OutboxListening(DataSource dataSource, Tables tables, Runnable action) {
        this.dataSource = dataSource;
        this.listen = tables.fill("listen " + CHANNEL);
        this.unlisten = tables.fill("unlisten " + CHANNEL);
        this.action = action;
        thread.setDaemon(true);
    }

    static OutboxListening start(DataSource dataSource, Tables tables, Runnable action) {
        OutboxListening listening = new OutboxListening(dataSource, tables, action);
        listening.thread.start();
        return listening;
    }

    private void run() {
        try {
            boolean isWorthTrying = true;
            while (isWorthTrying && !isClosed()) {
                try (Connection connection = dataSource.getConnection()) {
                    isWorthTrying = Dialects.isPostgres(connection) && listen(connection);
                } catch (SQLException | RuntimeException e) {
                    // Some pools throw others, too.
                    awaitNextTry(e);
                }
            }
        } catch (InterruptedException e) {
            log.info("Listening to the outbox was interrupted, and ends");
        }
    }

    /** Returns only if the driver does not tell notifications. */
    private boolean listen(Connection connection) throws SQLException {
        if (!PostgresDriver.isTellingNotifications(connection)) {
            log.info(
                    "The connections of {} do not tell notifications of PostgreSQL's driver, so relays only look for"
                            + " outputs from time to time",
                    dataSource);
            return false;
        }
        boolean isAutoCommit = connection.getAutoCommit();
        boolean isInOrder = false;
        try {
            connection.setAutoCommit(true);
            execute(connection, listen);
            // What was announced before.
            action.run();
            failures = 0;
            awaitNotifications(connection);
            execute(connection, unlisten);
            connection.setAutoCommit(isAutoCommit);
            isInOrder = true;
            return true;
        } finally {
            if (!isInOrder) {
                // No later user of the connection is to be told anything.
                connection.abort(Runnable::run);
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void awaitNotifications(Connection connection) throws SQLException {
        long seen = System.nanoTime();
        while (!isClosed()) {
            if (PostgresDriver.areNotified(connection, LOOK)) {
                action.run();
                seen = System.nanoTime();
            } else if (System.nanoTime() - seen > SILENCE.toNanos()) {
                if (!connection.isValid(SECONDS_OF_TRIAL)) {
                    throw new SQLException("The connection that listens to the outbox is lost", "08006");
                }
                seen = System.nanoTime();
            }
        }
    }

    private void awaitNextTry(Exception failure) throws InterruptedException {
        if (isClosed()) {
            return;
        }
        failures++;
        if (failures == 1) {
            log.info(
                    "Listening to the outbox failed, and is tried again. Meanwhile relays look from time to time: {}",
                    failure.toString());
        }
        log.debug("Listening to the outbox failed, {} times in a row", failures, failure);
        Duration doubled = FIRST_WAIT.multipliedBy(1L << Math.min(failures - 1, 10));
        Duration wait = doubled.compareTo(MOST_WAIT) > 0 ? MOST_WAIT : doubled;
        boolean unused = closing.await(wait.toMillis(), TimeUnit.MILLISECONDS);
    }

    private boolean isClosed() {
        return closing.getCount() == 0;
    }

    /** Waits until the connection is back in the pool. */
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(JOIN.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
