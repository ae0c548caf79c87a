package io.idempotency.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The attempts at the records of one member of a share group, each on a thread of its own. The polling thread starts them and learns of their ends. */
final class ShareAttempts implements AutoCloseable {

    private final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();
    private final ExecutorService workers;

    ShareAttempts(String consumer) {
        this.workers = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "idempotency-share-" + consumer);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * The end of an attempt.
     *
     * @param retryAfter when the next one is due; empty if the record is settled
     * @param fatal what no attempt may throw
     */
    record Ended(
            HeldRecord record,
            Optional<Duration> retryAfter,
            @Nullable Throwable fatal) {}

    /** Starts an attempt. After {@link #close} the record goes on waiting instead. */
    void start(HeldRecord record, Supplier<Optional<Duration>> attempt) {
        record.start();
        try {
            workers.execute(() -> {
                Optional<Duration> retryAfter = Optional.of(Duration.ZERO);
                @Nullable Throwable fatal = null;
                try {
                    retryAfter = attempt.get();
                } catch (Throwable thrown) {
                    fatal = thrown;
                } finally {
                    ended.add(new Ended(record, retryAfter, fatal));
                }
            });
        } catch (RejectedExecutionException closed) {
            record.waitUntil(System.nanoTime());
        }
    }

    /** Waits until an attempt ends, at most so long. Returns all that have ended. */
    List<Ended> await(long nanos) throws InterruptedException {
        List<Ended> all = new ArrayList<>();
        Ended first = ended.poll(nanos, TimeUnit.NANOSECONDS);
        if (first != null) {
            all.add(first);
            ended.drainTo(all);
        }
        return all;
    }

    /** Lets running attempts end. Does not wait for them. */
    @Override
    public void close() {
        workers.shutdown();
    }
}
