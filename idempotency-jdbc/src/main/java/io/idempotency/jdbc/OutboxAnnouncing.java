package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Announces outputs by PostgreSQL's {@code notify}, in no transaction of the application: a commit that notifies waits for every other such commit of the
 * database. So a thread of its own notifies after the commit, once for all commits of 10 ms. It ends when it has nothing to do. Thread-safe.
 */
final class OutboxAnnouncing {

    private static final Logger log = LoggerFactory.getLogger(JdbcOutbox.class);

    private static final Duration PAUSE = Duration.ofMillis(10);
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(5);
    private static final Duration IDLE = Duration.ofSeconds(5);

    private final Connections connections;
    private final String notify;
    private final AtomicBoolean isPending = new AtomicBoolean();
    private final ThreadPoolExecutor executor;
    private volatile boolean isInVain;

    OutboxAnnouncing(Connections connections, Tables tables) {
        this.connections = connections;
        this.notify = tables.fill("notify " + OutboxListening.CHANNEL);
        this.executor = new ThreadPoolExecutor(
                1, 1, IDLE.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, "idempotency-outbox-announcing");
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    /** Returns at once. */
    void announce() {
        if (!isInVain && isPending.compareAndSet(false, true)) {
            executor.execute(this::run);
        }
    }

    private void run() {
        // Before the statement: a commit from here on is announced by the next one.
        isPending.set(false);
        try {
            TimeUnit.NANOSECONDS.sleep(announced().toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns how long to wait before the next time. */
    private Duration announced() {
        try {
            isInVain = !connections.onCurrent("announce outputs", this::notify);
            return PAUSE;
        } catch (RuntimeException e) {
            log.debug("Could not announce outputs. Relays find them when they look", e);
            return PAUSE_AFTER_FAILURE;
        }
    }

    private boolean notify(Connection connection) throws SQLException {
        if (!Dialects.isPostgres(connection)) {
            return false;
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute(notify);
        }
        if (!connection.getAutoCommit()) {
            connection.commit();
        }
        return true;
    }
}
