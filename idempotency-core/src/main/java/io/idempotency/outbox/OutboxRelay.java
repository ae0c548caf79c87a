package io.idempotency.outbox;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Printable;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the outputs of an outbox to Kafka, on a thread of its own:
 *
 * <ol>
 *   <li>lock a few parts of the outbox
 *   <li>read the first outputs of each, and begin to send them while those of the next part are read
 *   <li>wait until Kafka has acknowledged them
 *   <li>delete them, and commit
 * </ol>
 *
 * <p>Any number of processes may run a relay on the same tables. A part belongs to one relay at a time, so outputs with equal keys are sent in their order. If
 * a relay dies, the database releases its locks, and another relay sends the outputs again, with the same ids. First copies are in order, too.
 *
 * <p>If Kafka is away, outputs wait; the relay tries again after 100 ms to 10 s. If Kafka refuses an output for good, because it is too large, or its topic does not
 * exist, it is set aside, and the others go on, also those with the same key. {@link RefusedOutputs#resend} sends it after all.
 *
 * <p>Thread-safe.
 */
public final class OutboxRelay implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(OutboxRelay.class);

    private static final Duration FIRST_WAIT = Duration.ofMillis(100);
    private static final Duration MOST_WAIT = Duration.ofSeconds(10);
    /** Counts are shown for so long without counting again. */
    private static final Duration FRESH = Duration.ofSeconds(10);

    private final OutboxStore store;
    private final RelayProducer producer;
    private final int batchSize;
    private final Duration interval;
    private final Duration patience;
    private final OutboxListener listener;
    private final Semaphore signal = new Semaphore(0);
    private final boolean isListening;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "idempotency-outbox");
    private volatile boolean isClosed;
    private volatile OutboxStore.@Nullable Listening listening;
    private volatile @Nullable Trouble trouble;
    private volatile @Nullable Counted counted;
    private volatile boolean isAskedToCount;
    private int failures;

    /**
     * Why outputs cannot be sent.
     *
     * @param since when a round failed first
     * @param failure of the last round
     */
    public record Trouble(Instant since, Throwable failure) {}

    /**
     * How many outputs there were.
     *
     * @param at when they were counted, by the clock of this process
     */
    public record Counted(OutboxTotal total, Instant at) {}

    private OutboxRelay(Builder builder) {
        this.store = builder.store;
        this.producer = new RelayProducer(builder.kafka, builder.patience);
        this.batchSize = builder.batchSize;
        this.interval = builder.interval;
        this.patience = builder.patience;
        this.listener = builder.listener;
        this.isListening = builder.isListening;
        thread.setDaemon(true);
    }

    /**
     * Returns a builder of a relay.
     *
     * @param kafka properties of a producer, at least {@code bootstrap.servers}. The relay sets all that decides about order and copies itself, and uses neither
     *     interceptors nor a partitioner
     */
    public static Builder of(OutboxStore store, Map<String, ?> kafka) {
        return new Builder(store, kafka);
    }

    /** Has the relay look for outputs now instead of after the interval. Returns at once. */
    public void wake() {
        if (signal.availablePermits() == 0) {
            signal.release();
        }
    }

    /** Returns the trouble that the thread of the relay has; empty if its last round succeeded. */
    public Optional<Trouble> trouble() {
        return Optional.ofNullable(trouble);
    }

    /**
     * Returns the counts of the outbox, as the thread of the relay has counted them last; empty before it has. If that is ten seconds ago, the thread counts again soon.
     * So somebody who asks waits for nothing, and nobody counts if nobody asks.
     */
    public Optional<Counted> counted() {
        Counted last = counted;
        if (last == null || last.at().plus(FRESH).isBefore(Instant.now())) {
            isAskedToCount = true;
            wake();
        }
        return Optional.ofNullable(last);
    }

    /**
     * Sends one batch on the calling thread, for a program without the thread.
     *
     * @return how many outputs were read
     * @throws RuntimeException if some could not be sent for now; they stay
     */
    public synchronized int runOnce() {
        RelayProducer.Round round = producer.begin();
        int read;
        try (round) {
            read = store.relay(batchSize, round);
        }
        round.sent().ifPresent(this::tell);
        return read;
    }

    private void tell(Sent sent) {
        if (!sent.acknowledged().isEmpty()) {
            tell(() -> listener.onSent(sent.acknowledged().size()));
        }
        sent.refused().forEach((output, reason) -> {
            log.error(
                    "Kafka refused {} (number {}) for good: {}. It was set aside; OutboxStore.refused().resend({}) sends it again",
                    Printable.of(output.output().toString()),
                    output.number(),
                    Printable.of(reason),
                    output.number());
            tell(() -> listener.onRefused(output, reason));
        });
        if (sent.failure() != null) {
            throw sent.failure();
        }
    }

    private static void tell(Runnable event) {
        try {
            event.run();
        } catch (RuntimeException e) {
            log.warn("The listener of the relay failed; the outputs themselves are not affected", e);
        }
    }

    private void run() {
        try {
            while (!isClosed) {
                try {
                    if (isAskedToCount) {
                        isAskedToCount = false; // before it fails, because it must not keep outputs waiting
                        counted = new Counted(store.total(), Instant.now());
                    }
                    boolean isMore = runOnce() > 0;
                    failures = 0;
                    trouble = null;
                    if (!isMore) {
                        awaitSignal();
                    }
                } catch (RuntimeException | Error e) {
                    // After an error, too: outputs wait until somebody sends them.
                    awaitNextTry(failed(e));
                }
            }
        } catch (InterruptedException e) {
            log.info("The relay of the outbox was interrupted, and ends");
        } finally {
            producer.close();
        }
    }

    private Duration failed(Throwable failure) {
        failures++;
        Trouble before = trouble;
        trouble = new Trouble(before == null ? Instant.now() : before.since(), failure);
        Duration doubled = FIRST_WAIT.multipliedBy(1L << Math.min(failures - 1, 10));
        Duration wait = doubled.compareTo(MOST_WAIT) > 0 ? MOST_WAIT : doubled;
        if (!isClosed) {
            if (failures == 1) {
                log.warn("Outputs could not be sent for now. They stay in the outbox, and are tried again", failure);
            } else {
                log.debug("Outputs could not be sent for now, {} times in a row", failures, failure);
            }
            tell(() -> listener.onFailed(failure, failures));
        }
        return wait.plusMillis(ThreadLocalRandom.current().nextLong(wait.toMillis() / 2 + 1));
    }

    private void awaitSignal() throws InterruptedException {
        if (!isClosed && signal.tryAcquire(interval.toMillis(), TimeUnit.MILLISECONDS)) {
            signal.drainPermits();
        }
    }

    /** Nothing but the end of the relay cuts this short. */
    private void awaitNextTry(Duration wait) throws InterruptedException {
        boolean unused = closing.await(wait.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void start() {
        if (isListening) {
            listening = store.listen(this::wake);
        }
        thread.start();
    }

    /** Ends after the running batch. Waits for it at most as long as the relay waits for Kafka; then the batch is given up, and stays. */
    @Override
    public void close() {
        isClosed = true;
        closing.countDown();
        wake();
        OutboxStore.Listening heard = listening;
        if (heard != null) {
            heard.close();
        }
        if (thread.isAlive()) {
            try {
                thread.join(patience.toMillis());
                producer.close();
                thread.join(1_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        producer.close();
    }

    /** Builds a relay. Every setting has a default. Not thread-safe. */
    public static final class Builder {

        private static final int DEFAULT_BATCH_SIZE = 4_000;
        private static final int MOST_BATCH_SIZE = 10_000;
        private static final Duration DEFAULT_INTERVAL = Duration.ofMillis(500);
        private static final Duration DEFAULT_PATIENCE = Duration.ofSeconds(10);

        private final OutboxStore store;
        private final Map<String, Object> kafka;
        private int batchSize = DEFAULT_BATCH_SIZE;
        private Duration interval = DEFAULT_INTERVAL;
        private Duration patience = DEFAULT_PATIENCE;
        private OutboxListener listener = new OutboxListener() {};
        private boolean isListening = true;

        private Builder(OutboxStore store, Map<String, ?> kafka) {
            this.store = store;
            this.kafka = new HashMap<>(kafka);
        }

        /** Sets the most outputs of a transaction, up to 10,000; 4000 by default. A transaction reads about 16 MB at most. */
        public Builder batchSize(int outputs) {
            batchSize = outputs;
            return this;
        }

        /**
         * Sets whether a running relay {@linkplain OutboxStore#listen listens} for outputs of other processes; true by default. On PostgreSQL that takes one
         * connection of the pool, as long as the relay runs. Behind a proxy that shares sessions between transactions nothing is heard: set false there.
         */
        public Builder listening(boolean isListening) {
            this.isListening = isListening;
            return this;
        }

        /** Sets how long the relay waits if there was nothing to send, and nobody wakes it; half a second by default. */
        public Builder interval(Duration pause) {
            interval = pause;
            return this;
        }

        /** Sets how long the relay waits for the acknowledgments of a batch, in its transaction; 10 seconds by default. */
        public Builder patience(Duration most) {
            patience = most;
            return this;
        }

        /** Sets who is told of outputs; nobody by default. */
        public Builder listener(OutboxListener told) {
            listener = told;
            return this;
        }

        /**
         * Returns a relay that runs only by {@link OutboxRelay#runOnce}.
         *
         * @throws IdempotencyException if a setting is not positive
         */
        public OutboxRelay build() {
            if (batchSize < 1 || batchSize > MOST_BATCH_SIZE || interval.toMillis() < 1 || patience.toMillis() < 1) {
                throw new IdempotencyException(
                        "Batch size, interval and patience of a relay must be positive, and the batch size at most "
                                + MOST_BATCH_SIZE + ", not " + batchSize + ", " + interval + " and " + patience);
            }
            return new OutboxRelay(this);
        }

        /** Returns a relay that runs on a daemon thread until it is closed. */
        public OutboxRelay start() {
            OutboxRelay relay = build();
            relay.start();
            return relay;
        }
    }
}
