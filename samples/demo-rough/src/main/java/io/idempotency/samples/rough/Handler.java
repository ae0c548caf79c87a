package io.idempotency.samples.rough;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Handles an order as the order says: correctly, or with a mistake. */
@Component
class Handler {

    /** Longer than it takes to kill the process. */
    private static final long LAST_SECONDS = 60;

    private final Effects effects;
    private final Nested nested;
    private final Aside aside;
    private final ApplicationEventPublisher events;
    private final JdbcTemplate jdbc;
    private final Set<String> done = ConcurrentHashMap.newKeySet();
    private final boolean isPostgresql;

    Handler(
            Effects effects,
            Nested nested,
            Aside aside,
            ApplicationEventPublisher events,
            JdbcTemplate jdbc,
            Product product) {
        this.effects = effects;
        this.nested = nested;
        this.aside = aside;
        this.events = events;
        this.jdbc = jdbc;
        this.isPostgresql = product.isPostgresql();
    }

    /** Handles an order, but does nothing if the order has been accepted already. */
    void handle(Step step, Order order) {
        if (order.isAccepted()) {
            return;
        }
        order.accept();
        effects.write(step.title(), order.number(), Effects.BEGIN);
        for (Deed deed : order.deeds()) {
            commit(deed, step, order);
        }
        effects.write(step.title(), order.number(), Effects.REST);
        end(order);
    }

    private void end(Order order) {
        switch (order.end()) {
            case RETURNS -> {}
            case FAILS_ONCE -> {
                if (isFirst(order, "end")) {
                    throw new IllegalStateException("The first attempt at " + order.id() + " fails");
                }
            }
            case FAILS -> throw new IllegalStateException("Each attempt at " + order.id() + " fails");
            case FAILS_NAMELESS -> throw new Nameless();
        }
    }

    private void commit(Deed deed, Step step, Order order) {
        switch (deed) {
            case COMMITS -> commitEarly(step, order);
            case DIES -> die(step, order);
            case NESTS -> nested.note(order.number());
            case NESTS_IN_VAIN -> inVain(() -> nested.fail(order.number()));
            case STEPS_ASIDE -> aside.note(order.number());
            case STEPS_ASIDE_IN_VAIN -> inVain(() -> aside.fail(order.number()));
            case SWALLOWS_DUPLICATE_KEY -> swallowDuplicateKey();
            case CONSUMES_AFTER_COMMIT -> events.publishEvent(new Accepted(order.number(), false));
            case CONSUMES_AFTER_COMMIT_ASIDE -> events.publishEvent(new Accepted(order.number(), true));
            case HAS_INTERRUPTED_WORKER -> awaitInterruptedWorker(order);
            case WAITS_FOR_LOCK -> updateLocked(order);
            case SWALLOWS_LOCK_TIMEOUT -> swallowLockTimeout(order);
        }
    }

    private void commitEarly(Step step, Order order) {
        effects.commitEarly(EarlyCommits.of(order.number(), isPostgresql), step.staging());
    }

    private void die(Step step, Order order) {
        boolean isDead = aside.isDead(order.number());
        commitEarly(step, order);
        if (!isDead) {
            aside.dies(order.number());
            try {
                TimeUnit.SECONDS.sleep(LAST_SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void inVain(Runnable service) {
        try {
            service.run();
        } catch (IllegalStateException e) {
            // Goes on as if nothing had happened.
        }
    }

    private void swallowDuplicateKey() {
        try {
            jdbc.update("insert into taken (name) values ('taken')");
        } catch (DuplicateKeyException e) {
            // It exists already.
        }
    }

    private void awaitInterruptedWorker(Order order) {
        if (!isFirst(order, "worker")) {
            return;
        }
        CountDownLatch never = new CountDownLatch(1);
        FutureTask<Boolean> work = new FutureTask<>(() -> never.await(LAST_SECONDS, TimeUnit.SECONDS));
        Thread worker = new Thread(work, "worker");
        worker.setDaemon(true);
        worker.start();
        worker.interrupt();
        try {
            work.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("The worker of " + order.id() + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void updateLocked(Order order) {
        jdbc.update("update contended set n = n + 1 where id = ?", order.number() % Blocker.ROWS);
    }

    private void swallowLockTimeout(Order order) {
        try {
            updateLocked(order);
        } catch (PessimisticLockingFailureException e) {
            // Swallowed.
        }
    }

    private boolean isFirst(Order order, String what) {
        return done.add(order.number() + what);
    }

    /** An exception whose methods throw, too. */
    private static final class Nameless extends RuntimeException {

        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }
}
