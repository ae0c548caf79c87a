package io.idempotency.benchmarks;

import java.util.concurrent.CompletableFuture;

/** Runs a purge beside a round, if the round asks for it. */
final class Purging implements AutoCloseable {

    private final CompletableFuture<Integer> running;

    private Purging(CompletableFuture<Integer> running) {
        this.running = running;
    }

    static Purging of(Step step, boolean isPurging) {
        return new Purging(
                isPurging ? CompletableFuture.supplyAsync(step::purge) : CompletableFuture.completedFuture(0));
    }

    boolean isDone() {
        return running.isDone();
    }

    /** Waits for the end of the purge, and throws its failure. */
    @Override
    public void close() {
        running.join();
    }
}
