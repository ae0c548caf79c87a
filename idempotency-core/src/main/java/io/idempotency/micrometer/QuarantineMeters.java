package io.idempotency.micrometer;

import io.idempotency.FailureText;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineTotal;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Shows how many messages of each consumer are in quarantine, and how old the oldest one is. Once a minute it takes a lease in the store and counts, by one query;
 * reading the registry never asks the database. Any number of nodes may run it on the same tables. The one with the lease has the meters, of all consumers
 * of these tables; on the others they do not exist, so a sum over all nodes is right. If that node dies, another one follows when the lease ends, after
 * {@link #LEASE}. If counting fails, the meters are gone until it works again. Thread-safe.
 */
public final class QuarantineMeters implements AutoCloseable {

    /** The consumer name of the lease; no other consumer may have it. */
    public static final String CONSUMER = "idempotency.meters";

    /** The pause between two counts. */
    public static final Duration INTERVAL = Duration.ofMinutes(1);

    /** How long a node has the meters after its last count. */
    public static final Duration LEASE = Duration.ofMinutes(3);

    /** How long an application that ends waits for a running count, and for the turn to be given back. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(QuarantineMeters.class);
    private static final Delivery TURN = new Delivery(new MessageId(CONSUMER, "quarantine"), Position.UNKNOWN);
    private static final QuarantineTotal NONE = new QuarantineTotal(0, Instant.EPOCH, Duration.ZERO);

    private final LeaseStore leases;
    private final QuarantineStore quarantine;
    private final Supplier<? extends Iterable<String>> consumers;
    private final MultiGauge messages;
    private final MultiGauge oldest;
    private final MeterRegistry registry;
    /** Held by whoever counts, also while the database does not answer. */
    private final ReentrantLock counting = new ReentrantLock();

    private volatile @Nullable HorizonMeters horizons;
    private volatile @Nullable OutboxGauges outbox;
    private volatile boolean isClosed;
    private @Nullable Claim turn;
    /** Touched by the counting thread only. */
    private boolean isFailing;

    private volatile @Nullable ScheduledExecutorService executor;

    private QuarantineMeters(
            MeterRegistry registry,
            LeaseStore leases,
            QuarantineStore quarantine,
            Supplier<? extends Iterable<String>> consumers) {
        this.leases = leases;
        this.quarantine = quarantine;
        this.consumers = consumers;
        this.registry = registry;
        this.messages = MultiGauge.builder(MeterNames.QUARANTINED)
                .description("Messages in quarantine, counted once a minute by one of the nodes")
                .baseUnit("messages")
                .register(registry);
        this.oldest = MultiGauge.builder(MeterNames.OLDEST)
                .description("Age of the oldest message in quarantine when they were counted last")
                .baseUnit("seconds")
                .register(registry);
    }

    /**
     * Returns the meters in this registry.
     *
     * @param leases where the nodes agree on who counts: a store on the tables of the quarantine
     * @param consumers the names of consumers that have the value 0 if none of their messages are in quarantine
     */
    public static QuarantineMeters of(
            MeterRegistry registry,
            LeaseStore leases,
            QuarantineStore quarantine,
            Supplier<? extends Iterable<String>> consumers) {
        return new QuarantineMeters(registry, leases, quarantine, consumers);
    }

    /**
     * Also shows how far back each of the consumers remembers, on every node, as its store says once a minute. Call it before {@link #start}.
     *
     * @param stores where a consumer of this process remembers
     */
    public synchronized QuarantineMeters horizons(Function<String, ClaimStore> stores) {
        horizons = new HorizonMeters(registry, stores);
        return this;
    }

    /** Also shows what waits in the outbox, on the node that counts. Call it before {@link #start}. */
    public synchronized QuarantineMeters outbox(OutboxStore store) {
        outbox = new OutboxGauges(registry, store);
        return this;
    }

    /** Counts soon, and then once a minute, on a daemon thread, until it is closed. */
    public synchronized QuarantineMeters start() {
        if (executor == null) {
            ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "idempotency-meters");
                thread.setDaemon(true);
                return thread;
            });
            executor = started;
            ScheduledFuture<?> unused =
                    started.scheduleWithFixedDelay(this::countAndLog, 1, INTERVAL.toSeconds(), TimeUnit.SECONDS);
        }
        return this;
    }

    private void countAndLog() {
        try {
            count();
            isFailing = false;
        } catch (RuntimeException | Error e) {
            // What a store throws says all in its message.
            log.atLevel(isFailing ? Level.DEBUG : Level.WARN)
                    .setCause(e instanceof IdempotencyException ? null : e)
                    .log(
                            "Messages in quarantine could not be counted, or a horizon could not be read. This is tried again every minute: {}",
                            FailureText.lineWithCause(e));
            isFailing = true;
        }
    }

    /**
     * Counts, if it is the turn of this node. Two round trips, two for an outbox, and two for each consumer whose {@linkplain #horizons horizon} is shown.
     *
     * @throws IdempotencyException if a store fails; the meters are gone then
     */
    public void count() {
        counting.lock();
        try {
            try {
                countQuarantine();
            } finally {
                HorizonMeters asking = horizons;
                if (asking != null && !isClosed) {
                    asking.sample(consumers.get());
                }
            }
        } finally {
            if (isClosed) {
                showNothing();
            }
            counting.unlock();
        }
    }

    private void countQuarantine() {
        Map<String, QuarantineTotal> counted = Map.of();
        boolean isOurTurn = false;
        try {
            isOurTurn = !isClosed && hasTurn();
            if (isOurTurn) {
                counted = all(quarantine.totals());
            }
        } finally {
            show(counted);
            countOutputs(isOurTurn);
        }
    }

    private void countOutputs(boolean isOurTurn) {
        OutboxGauges gauges = outbox;
        if (gauges != null && isOurTurn) {
            gauges.sample();
        } else if (gauges != null) {
            gauges.clear();
        }
    }

    private boolean hasTurn() {
        try {
            Claim held = turn;
            Claim now = held == null
                    ? leases.lease(List.of(TURN), LEASE).get(0)
                    : leases.renew(List.of(held), LEASE).get(0);
            turn = now.isGranted() ? now : null;
        } catch (ClaimLostException e) {
            log.debug("Another node counts now.", e);
            turn = null;
        }
        return turn != null;
    }

    private SortedMap<String, QuarantineTotal> all(SortedMap<String, QuarantineTotal> totals) {
        SortedMap<String, QuarantineTotal> all = new TreeMap<>(totals);
        consumers.get().forEach(name -> all.putIfAbsent(name, NONE));
        return all;
    }

    private void show(Map<String, QuarantineTotal> totals) {
        messages.register(
                totals.entrySet().stream()
                        .map(each -> MultiGauge.Row.of(
                                Tags.of("consumer", each.getKey()),
                                each.getValue().messages()))
                        .toList(),
                true);
        oldest.register(
                totals.entrySet().stream()
                        .map(each -> MultiGauge.Row.of(
                                Tags.of("consumer", each.getKey()),
                                each.getValue().age().toMillis() / 1000.0))
                        .toList(),
                true);
    }

    /**
     * Stops counting, removes the meters, and gives the turn to another node. If the database is away, it waits a few seconds at most and
     * then lets the turn end by itself, so that the shutdown of an application waits neither for a connection nor for one that hangs.
     */
    @Override
    public void close() {
        ScheduledExecutorService started = executor;
        if (started != null) {
            end(started);
        }
        Claim held = stop();
        if (held != null) {
            release(held);
        }
    }

    /** Lets a running count end: one that is interrupted may have the turn without knowing it. */
    private static void end(ScheduledExecutorService started) {
        started.shutdown();
        try {
            if (!started.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                started.shutdownNow();
            }
        } catch (InterruptedException e) {
            started.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    /** Removes the meters and returns the turn. If a count still waits for an answer of the database, it removes them itself, and the turn ends by itself. */
    private @Nullable Claim stop() {
        isClosed = true;
        if (!isCountOver()) {
            log.debug("A count still waits for the database. The turn ends by itself after {}.", LEASE);
            return null;
        }
        try {
            showNothing();
            Claim held = turn;
            turn = null;
            return held;
        } finally {
            counting.unlock();
        }
    }

    /** Returns whether the lock was taken. A connection that hangs does not heed an interruption. */
    private boolean isCountOver() {
        try {
            return counting.tryLock(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return counting.tryLock();
        }
    }

    private void showNothing() {
        show(Map.of());
        HorizonMeters shown = horizons;
        if (shown != null) {
            shown.clear();
        }
        countOutputs(false);
    }

    private void release(Claim held) {
        Thread releasing = new Thread(() -> tryToRelease(held), "idempotency-meters-close");
        releasing.setDaemon(true);
        releasing.start();
        try {
            releasing.join(PATIENCE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        releasing.interrupt();
    }

    private void tryToRelease(Claim held) {
        try {
            leases.release(List.of(held));
        } catch (RuntimeException e) {
            log.debug("The turn could not be given back. It ends by itself after {}.", LEASE, e);
        }
    }
}
