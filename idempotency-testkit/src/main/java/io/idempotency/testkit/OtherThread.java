package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.TransactionRunner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * A thread that a test drives step by step, within one transaction or without any. A failing step ends the thread and rolls back the transaction. So does
 * closing it before the commit.
 */
final class OtherThread implements AutoCloseable {

    private static final long LIMIT_SECONDS = 60;

    /** The time after which a step counts as waiting. A wait inside a database server is not visible here. */
    private static final long SURELY_WAITING_MILLIS = 300;

    private final LinkedBlockingQueue<Step<?>> steps = new LinkedBlockingQueue<>();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final Thread thread;

    /** One step of work. The last step of a transaction says how it ends. */
    static final class Step<T> {

        private final Supplier<T> work;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private volatile boolean begun;

        private Step(Supplier<T> work) {
            this.work = work;
        }

        private void run() {
            begun = true;
            try {
                answer.complete(work.get());
            } catch (RuntimeException | Error e) {
                answer.completeExceptionally(e);
                throw e;
            }
        }

        /** Returns the answer of the step, or throws its failure. */
        T answer() {
            return result(answer);
        }

        /** Returns the answer. If the step failed transiently, runs the work again and returns its answer. */
        T answerOrAgain(ClaimStore store) {
            try {
                return answer();
            } catch (RuntimeException e) {
                if (!store.transactions().isTransient(e)) {
                    throw e;
                }
                return Transacted.committed(store, work);
            }
        }

        boolean isDone() {
            return answer.isDone();
        }
    }

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private OtherThread(TransactionRunner runner) {
        this.thread = new Thread(() -> live(runner), "other-thread");
        thread.setDaemon(true);
    }

    static OtherThread inTransaction(ClaimStore store) {
        return started(store.transactions());
    }

    static OtherThread withoutTransaction() {
        return started(Runnable::run);
    }

    private static OtherThread started(TransactionRunner runner) {
        OtherThread other = new OtherThread(runner);
        other.thread.start();
        return other;
    }

    private void live(TransactionRunner runner) {
        try {
            runner.inTransaction(this::runSteps);
            ended.complete(true);
        } catch (RolledBack e) {
            ended.complete(false);
        } catch (RuntimeException | Error e) {
            ended.completeExceptionally(e);
        }
    }

    private void runSteps() {
        try {
            for (Step<?> step = steps.take(); step != COMMIT; step = steps.take()) {
                step.run();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final Step<Void> COMMIT = new Step<>(() -> {
        throw new AssertionError("never run");
    });

    /** Begins a step without waiting for its answer. */
    <T> Step<T> begin(Supplier<T> work) {
        Step<T> step = new Step<>(work);
        steps.add(step);
        return step;
    }

    /** Runs a step and returns its answer. */
    <T> T run(Supplier<T> work) {
        return begin(work).answer();
    }

    /** Returns as soon as the step waits or is done. */
    void awaitWaiting(Step<?> step) {
        Await.within(SURELY_WAITING_MILLIS, () -> step.isDone() || (step.begun && isWaiting()));
    }

    private boolean isWaiting() {
        return switch (thread.getState()) {
            case BLOCKED, WAITING, TIMED_WAITING -> true;
            case NEW, RUNNABLE, TERMINATED -> false;
        };
    }

    /** Commits, or throws the failure of the commit. */
    void commit() {
        steps.add(COMMIT);
        if (!result(ended)) {
            throw new AssertionError("The transaction was rolled back already");
        }
    }

    void rollBack() {
        begin(() -> {
            throw new RolledBack();
        });
        awaitEnd();
    }

    private void awaitEnd() {
        Await.until("the other thread has ended", ended::isDone);
    }

    @Override
    public void close() {
        if (!ended.isDone()) {
            rollBack();
        }
    }

    private static <T> T result(CompletableFuture<T> future) {
        try {
            return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("No answer from the other thread", e);
        }
    }
}
