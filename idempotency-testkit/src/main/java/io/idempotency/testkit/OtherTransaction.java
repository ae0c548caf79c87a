package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * A transaction on a thread of its own that the test drives step by step. A step that fails rolls it back; closing it rolls
 * back what is still open.
 */
final class OtherTransaction implements AutoCloseable {

    private static final long LIMIT_SECONDS = 60;

    /** A wait inside a database server cannot be seen from here: after so long, a step counts as waiting. */
    private static final long SURELY_WAITING_MILLIS = 300;

    private final LinkedBlockingQueue<Step<?>> steps = new LinkedBlockingQueue<>();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final Thread thread;

    /** One piece of work; the last one of a transaction says how it ends. */
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

        /** Returns what the step answered; fails as the step failed. */
        T answer() {
            return result(answer);
        }

        /** Returns the answer, or what the work answers when it is run again if the step failed for a transient reason. */
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

    private OtherTransaction(ClaimStore store) {
        this.thread = new Thread(() -> live(store), "other-transaction");
        thread.setDaemon(true);
    }

    static OtherTransaction begin(ClaimStore store) {
        OtherTransaction other = new OtherTransaction(store);
        other.thread.start();
        return other;
    }

    private void live(ClaimStore store) {
        try {
            store.transactions().inTransaction(this::runSteps);
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

    /** Runs a step. */
    <T> T run(Supplier<T> work) {
        return begin(work).answer();
    }

    /** Returns when the step waits for something, or is done. */
    void awaitWaiting(Step<?> step) {
        Await.within(SURELY_WAITING_MILLIS, () -> step.isDone() || (step.begun && isWaiting()));
    }

    private boolean isWaiting() {
        return switch (thread.getState()) {
            case BLOCKED, WAITING, TIMED_WAITING -> true;
            case NEW, RUNNABLE, TERMINATED -> false;
        };
    }

    /** Commits; fails as the commit failed. */
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
        Await.until("the other transaction has ended", ended::isDone);
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
            throw new AssertionError("No answer from the other transaction", e);
        }
    }
}
