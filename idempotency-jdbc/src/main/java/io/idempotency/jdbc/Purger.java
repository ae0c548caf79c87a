package io.idempotency.jdbc;

import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageRange;
import io.idempotency.store.PurgeListener;
import io.idempotency.store.StoredMessages;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forgets messages older than the retention, at intervals and in small batches. Each batch is a transaction of its own. Any number of nodes may run a purger on
 * the same store. Each run takes a lease in that store, so one node purges at a time. If it crashes, another node follows when the lease ends. A store without
 * leases lets one node at a time purge a journal. A run that fails is logged and tried again after the interval.
 *
 * <p>A retention belongs to a consumer. The purger stores it in the tables, for the consumers that used this store; the longest one that any application ever
 * gave counts. A run forgets the messages of all consumers, each by its own retention, and nothing of a consumer without one. A shorter retention than
 * the stored one has no effect and causes a warning.
 *
 * <p>A run also builds the archives of a {@link JournalStore}, see {@link JournalStoreBuilder#archiveAfter}. Thread-safe.
 *
 * <pre>
 * try (Purger purger = Purger.of(store).retention(Duration.ofDays(8)).start()) { … }
 * </pre>
 */
public final class Purger implements AutoCloseable {

    /** How long messages are remembered unless set otherwise: one day more than Kafka's default of seven. A {@link JournalStore} has a retention of its own. */
    public static final Duration DEFAULT_RETENTION = Retentions.DEFAULT;

    /** How long audit records are kept unless set otherwise. */
    public static final Duration DEFAULT_AUDIT_RETENTION = Duration.ofDays(400);

    /** The pause between runs unless set otherwise. */
    public static final Duration DEFAULT_INTERVAL = Duration.ofMinutes(10);

    /** The most messages that one transaction forgets, unless set otherwise. */
    public static final int DEFAULT_BATCH_SIZE = 1000;

    /** The consumer name of the leases of runs; no other consumer may have it. */
    public static final String CONSUMER = "idempotency.purger";

    private static final Logger LOG = LoggerFactory.getLogger(Purger.class);

    private final ClaimStore store;
    private final Duration retention;
    private final Duration interval;
    private final int batchSize;
    private final @Nullable AuditStore audit;
    private final Duration auditRetention;
    private final List<Runnable> afterwards;
    private final PurgeListener listener;
    private final LongConsumer progress;
    private final ScheduledExecutorService executor;
    private volatile boolean closed;

    private Purger(Builder builder) {
        this.store = builder.store;
        this.retention = builder.retention;
        this.interval = builder.interval;
        this.batchSize = builder.batchSize;
        this.audit = builder.audit;
        this.auditRetention = builder.auditRetention;
        this.afterwards = List.copyOf(builder.afterwards);
        this.listener = builder.listener;
        this.progress = builder.progress;
        this.executor = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "idempotency-purger");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Returns a builder with the default settings for the store. */
    public static Builder of(ClaimStore store) {
        return new Builder(store);
    }

    /**
     * Purges until no message is older than the retention. Returns how many messages were forgotten; 0 also if
     * another node is purging.
     */
    public int runOnce() {
        return store instanceof LeaseStore leases ? PurgeTurn.run(leases, this::purgeAll) : purgeAll(() -> {});
    }

    /** Counts what a run would forget now: messages older than the retention that is stored for their consumer. Changes nothing, and takes no lease. */
    public long count() {
        Instant now = store.now();
        long old = 0;
        for (String consumer : store.messages().consumers()) {
            Optional<Duration> stored = store.messages().retained(consumer).retention();
            if (stored.isPresent()) {
                old += count(MessageRange.ofTime(consumer, Instant.MIN, now.minus(stored.get())));
            }
        }
        return old;
    }

    private long count(MessageRange range) {
        StoredMessages.Batch batch = store.messages().count(range, "", batchSize);
        long messages = batch.messages();
        while (batch.next().isPresent()) {
            batch = store.messages().count(range, batch.next().get(), batchSize);
            messages += batch.messages();
        }
        return messages;
    }

    private int purgeAll(Runnable afterBatch) {
        long began = System.nanoTime();
        int forgotten = 0;
        int batch = 1;
        while (batch > 0 && !closed) {
            batch = store.purge(retention, batchSize);
            forgotten += batch;
            afterBatch.run();
            progress.accept(forgotten);
        }
        purgeAudit(afterBatch);
        archive(afterBatch);
        for (Runnable each : afterwards) {
            if (!closed) {
                each.run();
                afterBatch.run();
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        int all = forgotten;
        tell(kind -> listener.onPurged(kind, all, took));
        return forgotten;
    }

    private void tell(Consumer<String> what) {
        try {
            what.accept(store instanceof JournalStore ? "journal" : store instanceof TableStore ? "table" : "other");
        } catch (RuntimeException e) {
            LOG.warn("The listener of the purge failed; the purge itself is not affected.", e);
        }
    }

    private void archive(Runnable afterBatch) {
        if (store instanceof JournalStore journal && !closed) {
            Pace pace = new Pace();
            journal.archive(() -> {
                afterBatch.run();
                if (!closed) {
                    pace.rest();
                }
                return !closed;
            });
        }
    }

    private void purgeAudit(Runnable afterBatch) {
        AuditStore records = audit;
        int batch = records == null ? 0 : batchSize;
        while (records != null && batch >= batchSize && !closed) {
            batch = records.purge(auditRetention, batchSize);
            afterBatch.run();
        }
    }

    /** Ends after the running batch, and waits for it, up to 30 seconds. */
    @Override
    public void close() {
        closed = true;
        executor.shutdown();
        try {
            if (!executor.awaitTermination(30, TimeUnit.SECONDS)) {
                LOG.warn("A batch of the purge is still running after 30 seconds; its thread ends with the batch");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void runAndLog() {
        try {
            int forgotten = runOnce();
            LOG.debug("The purge forgot {} messages older than {}", forgotten, retention);
        } catch (RuntimeException | Error e) {
            LOG.warn("The purge failed and is tried again in {}", interval, e);
        }
    }

    /** Builds a purger. Every setting has a default. Not thread-safe. */
    public static final class Builder {

        private final ClaimStore store;
        private Duration retention;
        private Duration interval = DEFAULT_INTERVAL;
        private int batchSize = DEFAULT_BATCH_SIZE;
        private @Nullable AuditStore audit;
        private Duration auditRetention = DEFAULT_AUDIT_RETENTION;
        private final List<Runnable> afterwards = new ArrayList<>();
        private PurgeListener listener = (kind, messages, took) -> {};
        private LongConsumer progress = forgotten -> {};

        private Builder(ClaimStore store) {
            this.store = store;
            this.retention = store instanceof JournalStore journal ? journal.retention() : DEFAULT_RETENTION;
        }

        /** Sets how long messages are remembered; by default the retention of a {@link JournalStore}, and 8 days for other stores. */
        public Builder retention(Duration duration) {
            retention = duration;
            return this;
        }

        /** Sets the pause between the end of a run and the next run; 10 minutes by default. */
        public Builder interval(Duration duration) {
            interval = duration;
            return this;
        }

        /** Sets the most messages that one transaction forgets; 1000 by default. */
        public Builder batchSize(int messages) {
            batchSize = messages;
            return this;
        }

        /** Also deletes audit records that are older than the retention. Without this they stay. */
        public Builder audit(AuditStore records, Duration retentionOfRecords) {
            audit = records;
            auditRetention = retentionOfRecords;
            return this;
        }

        /**
         * Runs a task at the end of each run, in the turn of this node. If the task fails, the run has failed. {@code io.idempotency.QuarantineKeeper} is such a
         * task.
         */
        public Builder afterwards(Runnable task) {
            afterwards.add(task);
            return this;
        }

        /** Sets who is told of runs that succeeded, such as {@code io.idempotency.micrometer.IdempotencyMeters}; nobody by default. */
        public Builder listener(PurgeListener told) {
            listener = told;
            return this;
        }

        /** Sets what is given the number of messages that a run has forgotten, after each batch. If it throws, the run ends as one that has failed. */
        public Builder progress(LongConsumer ofRun) {
            progress = ofRun;
            return this;
        }

        /**
         * Returns a purger that runs only by {@link Purger#runOnce}.
         *
         * @throws IdempotencyException if a setting is not positive
         */
        public Purger build() {
            if (auditRetention.isNegative() || auditRetention.isZero()) {
                throw new IdempotencyException("The retention of the audit must be positive, not " + auditRetention);
            }
            if (retention.isNegative() || retention.isZero() || interval.toMillis() < 1 || batchSize < 1) {
                throw new IdempotencyException("Retention, interval and batch size of a purger must be positive, not "
                        + retention + ", " + interval + " and " + batchSize);
            }
            return new Purger(this);
        }

        /** Returns a purger that runs soon, and then after each interval, on a daemon thread, until it is closed. */
        public Purger start() {
            Purger purger = build();
            long millis = interval.toMillis();
            purger.tell(listener::onStarted);
            ScheduledFuture<?> unused = purger.executor.scheduleWithFixedDelay(
                    purger::runAndLog, Math.min(millis, 1000), millis, TimeUnit.MILLISECONDS);
            return purger;
        }
    }
}
