package io.idempotency.samples.rough;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Locks rows that handlers update, for longer than the handlers wait. */
@Component
class Blocker implements SmartLifecycle {

    /** The number of rows that may be locked. */
    static final int ROWS = 20;

    private static final int LOCKED = 5;
    private static final int LOCKED_MILLIS = 1_500;
    private static final int FREE_MILLIS = 500;

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private @Nullable Thread thread;

    Blocker(JdbcTemplate jdbc, PlatformTransactionManager manager) {
        this.jdbc = jdbc;
        this.transaction = new TransactionTemplate(manager);
    }

    @Override
    public void start() {
        Thread blocker = new Thread(this::block, "blocker");
        blocker.setDaemon(true);
        blocker.start();
        thread = blocker;
    }

    private void block() {
        while (true) {
            try {
                transaction.executeWithoutResult(status -> lock());
                TimeUnit.MILLISECONDS.sleep(FREE_MILLIS);
            } catch (Interrupted | InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                // A deadlock with a handler serves as well.
            }
        }
    }

    private void lock() {
        int first = ThreadLocalRandom.current().nextInt(ROWS - LOCKED);
        jdbc.update("update contended set n = n + 1 where id >= ? and id < ?", first, first + LOCKED);
        try {
            TimeUnit.MILLISECONDS.sleep(LOCKED_MILLIS);
        } catch (InterruptedException e) {
            throw new Interrupted();
        }
    }

    @Override
    public void stop() {
        Thread blocker = thread;
        if (blocker != null) {
            blocker.interrupt();
        }
        thread = null;
    }

    @Override
    public boolean isRunning() {
        return thread != null;
    }

    private static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
