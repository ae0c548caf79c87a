package io.idempotency.micrometer;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Replayed;
import io.idempotency.ResendCheck;
import io.idempotency.Standstills;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.JournalStatistics;
import io.idempotency.store.Position;
import io.idempotency.store.PurgeListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts and times what consumers, purgers and journals of this process do. docs/spring-boot.md lists the meters; {@link MeterNames} has their names. All meters of
 * a consumer exist with the value 0 as soon as it is built. No tag has more values than there are consumers.
 *
 * <pre>{@code
 * IdempotencyMeters meters = IdempotencyMeters.of(registry);
 * IdempotentConsumer.<Order>named("billing").listener(meters). … .build();
 * Purger.of(store).listener(meters).start();
 * }</pre>
 *
 * <p>A meter is looked up in the registry once. Counting makes no round trip and takes no lock. Thread-safe.
 */
public final class IdempotencyMeters implements ConsumptionListener, PurgeListener {

    private final MeterRegistry registry;
    private final Standstills standstills;
    private final boolean isTelling;
    private final Map<String, ConsumerMeters> consumers = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> purged = new ConcurrentHashMap<>();

    private IdempotencyMeters(MeterRegistry registry, Standstills standstills, boolean isTelling) {
        this.registry = registry;
        this.standstills = standstills;
        this.isTelling = isTelling;
    }

    /** Returns the meters in this registry. */
    public static IdempotencyMeters of(MeterRegistry registry) {
        return new IdempotencyMeters(registry, new Standstills(), true);
    }

    /**
     * Returns the meters in this registry.
     *
     * @param standstills knows the partitions that stand still; give it to the consumers as a listener, too
     */
    public static IdempotencyMeters of(MeterRegistry registry, Standstills standstills) {
        return new IdempotencyMeters(registry, standstills, false);
    }

    /** Adds the meters of a store with journals, to read from it whenever the registry is read. There is one such store in a registry. */
    public IdempotencyMeters journals(JournalStatistics store) {
        Gauge.builder(MeterNames.JOURNAL_MEMORY, store, JournalStatistics::memoryBytes)
                .description("Memory that the journals take in this process")
                .baseUnit("bytes")
                .register(registry);
        Gauge.builder(MeterNames.JOURNAL_MESSAGES, store, JournalStatistics::rememberedMessages)
                .description("Messages that the journals of this process remember, in memory or in archives")
                .baseUnit("messages")
                .register(registry);
        Gauge.builder(MeterNames.JOURNAL_ARCHIVED, store, JournalStatistics::archivedMessages)
                .description("Those of them that are in archives")
                .baseUnit("messages")
                .register(registry);
        FunctionCounter.builder(MeterNames.JOURNAL_CATCH_UPS, store, JournalStatistics::catchUps)
                .description("Times that this process read what another one had appended to a journal")
                .register(registry);
        FunctionCounter.builder(MeterNames.JOURNAL_RELOADS, store, JournalStatistics::reloads)
                .description("Journals that were dropped from memory because their history had changed")
                .register(registry);
        return this;
    }

    @Override
    public void onBuilt(String consumer, ConsistencyLevel level, boolean isShadow, ClaimStore store) {
        if (isTelling) {
            standstills.onBuilt(consumer, level, isShadow, store);
        }
        meters(consumer).begin(level, isShadow, store, standstills);
    }

    @Override
    public void onConsumption(Consumption consumption) {
        if (isTelling) {
            standstills.onConsumption(consumption);
        }
        meters(consumption.delivery()).count(consumption);
    }

    @Override
    public void onRevoked(String consumer, String stream, int partition) {
        if (isTelling) {
            standstills.onRevoked(consumer, stream, partition);
        }
    }

    @Override
    public void onEarlyCommit(Delivery first) {
        meters(first).count(ConsumerMeters.Event.EARLY);
    }

    @Override
    public void onLeaseLost(Delivery delivery) {
        meters(delivery).count(ConsumerMeters.Event.LEASE_LOST);
    }

    @Override
    public void onReplay(Replayed replayed) {
        meters(replayed.delivery()).count(replayed.result());
    }

    @Override
    public void onUnwatched(Delivery delivery) {
        meters(delivery).count(ConsumerMeters.Event.UNWATCHED);
    }

    @Override
    public void onResendChecked(Delivery delivery, Position first, ResendCheck.Result result) {
        meters(delivery).count(result);
    }

    /** {@inheritDoc} The meters of the purge exist from now on, so that a purge that never succeeds is seen. */
    @Override
    public void onStarted(String store) {
        purged(store);
        purgeTime(store);
        purged.computeIfAbsent(store, this::lastSuccess);
    }

    /** {@inheritDoc} Runs are rare, so their meters are looked up each time. */
    @Override
    public void onPurged(String store, long messages, Duration took) {
        purged(store).increment((double) messages);
        purgeTime(store).record(took);
        purged.computeIfAbsent(store, this::lastSuccess).set(now());
    }

    private Counter purged(String store) {
        return Counter.builder(MeterNames.PURGED)
                .description("Messages that the purge has forgotten")
                .tag("store", store)
                .register(registry);
    }

    private Timer purgeTime(String store) {
        return Timer.builder(MeterNames.PURGE_TIME)
                .description("Runs of the purge that succeeded in this process")
                .tag("store", store)
                .register(registry);
    }

    private AtomicLong lastSuccess(String store) {
        AtomicLong millis = new AtomicLong(now());
        TimeGauge.builder(MeterNames.PURGE_SUCCESS, () -> millis, TimeUnit.MILLISECONDS)
                .description(
                        "When a run of the purge succeeded last in this process, or when the purge began here, since 1970")
                .tag("store", store)
                .register(registry);
        return millis;
    }

    private long now() {
        return registry.config().clock().wallTime();
    }

    private ConsumerMeters meters(Delivery delivery) {
        return meters(delivery.id().consumer());
    }

    private ConsumerMeters meters(String consumer) {
        ConsumerMeters known = consumers.get(consumer);
        return known != null ? known : consumers.computeIfAbsent(consumer, name -> new ConsumerMeters(registry, name));
    }
}
