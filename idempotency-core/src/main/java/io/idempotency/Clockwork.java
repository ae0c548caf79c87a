package io.idempotency;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/**
 * The clock, the randomness and the timers that the flow depends on. Tests replace them. Thread-safe.
 *
 * @param nanoTime tells the time, as {@link System#nanoTime}
 * @param random returns a random number below the bound given
 * @param ticks runs tasks at fixed intervals
 */
record Clockwork(LongSupplier nanoTime, LongUnaryOperator random, Ticks ticks) {

    /** Runs tasks at fixed intervals. */
    @FunctionalInterface
    interface Ticks {

        /** Runs the task at this interval, until the returned action is run. */
        Runnable every(Duration interval, String name, Runnable task);
    }

    /** Returns real randomness and timers, with this clock. */
    static Clockwork of(LongSupplier nanoTime) {
        return new Clockwork(nanoTime, bound -> ThreadLocalRandom.current().nextLong(bound), Clockwork::onDaemonThread);
    }

    private static Runnable onDaemonThread(Duration interval, String name, Runnable task) {
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, name);
            thread.setDaemon(true);
            return thread;
        });
        var unused =
                scheduler.scheduleAtFixedRate(task, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
        return scheduler::shutdown;
    }
}
