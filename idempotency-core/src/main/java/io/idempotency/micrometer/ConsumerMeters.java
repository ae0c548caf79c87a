package io.idempotency.micrometer;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.ResendCheck;
import io.idempotency.Standstill;
import io.idempotency.Standstills;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.UnjudgedStatistics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The meters of one consumer. Thread-safe. */
final class ConsumerMeters {

    /** The bounds of the ages of duplicates. */
    private static final double[] AGES = Stream.of(
                    Duration.ofMinutes(1),
                    Duration.ofMinutes(10),
                    Duration.ofHours(1),
                    Duration.ofHours(6),
                    Duration.ofDays(1),
                    Duration.ofDays(4),
                    Duration.ofDays(7),
                    Duration.ofDays(8))
            .mapToDouble(Duration::toSeconds)
            .toArray();

    /** The bounds of ages as shares of the retention. */
    private static final double[] RATIOS = {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1};

    private final MeterRegistry registry;
    private final String consumer;
    private final EnumMeters<ConsistencyLevel, EnumMeters<Result, Timer>> consumptions =
            new EnumMeters<>(level -> new EnumMeters<>(result -> consumptions(level, result)));
    private final EnumMeters<Duplicate.Kind, Counter> duplicates = new EnumMeters<>(kind -> counter(
            MeterNames.DUPLICATES,
            "kind",
            kind,
            "Messages skipped, or in shadow mode not skipped, that were processed before"));
    private final EnumMeters<ReplayResult, Counter> replayed =
            new EnumMeters<>(result -> counter(MeterNames.REPLAYED, "result", result, "Messages of replays by result"));
    private final EnumMeters<ResendCheck.Result, Counter> checks = new EnumMeters<>(result -> counter(
            MeterNames.CHECKS,
            "result",
            result,
            "Messages that were sent again, by the result of their comparison with the first one"));
    private final EnumMeters<Event, Counter> events = new EnumMeters<>(this::counter);
    private final DistributionSummary age;
    private final DistributionSummary ratio;
    private volatile @Nullable ClaimStore store;

    /** What happens to a consumer, without a tag of its own. */
    enum Event {
        TRANSIENT(MeterNames.TRANSIENT, "Transient failures, which do not count as attempts"),
        STUCK(MeterNames.STUCK, "Transient failures that do not pass: each one after many others of the same message"),
        EARLY(MeterNames.EARLY, "Transactions that a handler committed itself, too early"),
        UNWATCHED(MeterNames.UNWATCHED, "Deliveries that a shadow consumer did not watch: its store does not keep up"),
        LEASE_LOST(
                MeterNames.LEASES_LOST,
                "Leases that another attempt has taken before they were completed or given back"),
        MISMATCH(MeterNames.MISMATCHES, "Messages with the id of a processed one and another value");

        private final String meter;
        private final String description;

        Event(String meter, String description) {
            this.meter = meter;
            this.description = description;
        }
    }

    ConsumerMeters(MeterRegistry registry, String consumer) {
        this.registry = registry;
        this.consumer = consumer;
        this.age = summary(MeterNames.AGE, "Time since the original of a duplicate was processed", AGES, "seconds");
        this.ratio = summary(
                MeterNames.AGE_RATIO,
                "Age of a duplicate as a share of the time for which messages are remembered",
                RATIOS,
                null);
    }

    /** Registers all meters with 0. The rate of a meter does not show the first event if the meter did not exist before. */
    void begin(ConsistencyLevel level, boolean isShadow, ClaimStore remembering, Standstills standstills) {
        store = remembering;
        Result.of(isShadow).forEach(consumptions.of(level)::of);
        Stream.of(Duplicate.Kind.values()).forEach(duplicates::of);
        if (isShadow) {
            events.of(Event.UNWATCHED);
            return;
        }
        Stream.of(Event.TRANSIENT, Event.STUCK, Event.EARLY, Event.MISMATCH).forEach(events::of);
        if (level == ConsistencyLevel.AT_LEAST_ONCE) {
            events.of(Event.LEASE_LOST);
        }
        if (remembering instanceof UnjudgedStatistics unjudged) {
            Stream.of(UnjudgedStatistics.Action.values()).forEach(action -> counter(unjudged, action));
        }
        Stream.of(ReplayResult.values()).forEach(replayed::of);
        Stream.of(ResendCheck.Result.values()).forEach(checks::of);
        for (Standstill.Reason reason : Standstill.Reason.values()) {
            Gauge.builder(MeterNames.STANDSTILL, standstills, all -> all.lasting(consumer, reason))
                    .description("Partitions that stand still in this process, by reason")
                    .baseUnit("partitions")
                    .tag("consumer", consumer)
                    .tag("reason", reason.tag())
                    .register(registry);
        }
    }

    void count(Consumption consumption) {
        if (consumption.isTransient()) {
            count(Event.TRANSIENT);
            if (consumption.isStuck()) {
                count(Event.STUCK);
            }
            return;
        }
        consumptions
                .of(consumption.level())
                .of(Result.of(consumption))
                .record(consumption.handlerNanos(), TimeUnit.NANOSECONDS);
        if (consumption.duplicate().isPresent()) {
            count(consumption.duplicate().get());
        }
    }

    private void count(Duplicate duplicate) {
        duplicates.of(duplicate.kind()).increment();
        double seconds = duplicate.age().toMillis() / 1000.0;
        age.record(seconds);
        ClaimStore remembering = store;
        if (remembering != null) {
            remembering
                    .remembers(consumer)
                    .ifPresent(retention -> ratio.record(seconds * 1000 / Math.max(1, retention.toMillis())));
        }
    }

    void count(Event event) {
        events.of(event).increment();
    }

    void count(ReplayResult result) {
        replayed.of(result).increment();
    }

    void count(ResendCheck.Result result) {
        checks.of(result).increment();
        if (result == ResendCheck.Result.DIFFERENT) {
            count(Event.MISMATCH);
        }
    }

    private Timer consumptions(ConsistencyLevel level, Result result) {
        return Timer.builder(MeterNames.CONSUMPTIONS)
                .description("Consumptions by outcome; the time is the handler's, and 0 if it did not run")
                .tag("consumer", consumer)
                .tag("level", name(level))
                .tag("outcome", name(result))
                .register(registry);
    }

    private DistributionSummary summary(String meter, String description, double[] bounds, @Nullable String unit) {
        return DistributionSummary.builder(meter)
                .description(description)
                .baseUnit(unit)
                .serviceLevelObjectives(bounds)
                .tag("consumer", consumer)
                .register(registry);
    }

    private void counter(UnjudgedStatistics unjudged, UnjudgedStatistics.Action action) {
        FunctionCounter.builder(MeterNames.UNJUDGED, unjudged, store -> store.unjudged(consumer, action))
                .description("Deliveries before what is remembered, by what became of them")
                .tag("consumer", consumer)
                .tag("action", name(action))
                .register(registry);
    }

    private Counter counter(Event event) {
        return Counter.builder(event.meter)
                .description(event.description)
                .tag("consumer", consumer)
                .register(registry);
    }

    private Counter counter(String meter, String tag, Enum<?> value, String description) {
        return Counter.builder(meter)
                .description(description)
                .tag("consumer", consumer)
                .tag(tag, name(value))
                .register(registry);
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
