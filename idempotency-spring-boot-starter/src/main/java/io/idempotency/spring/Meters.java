package io.idempotency.spring;

import io.idempotency.BehindQuarantineException;
import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.Replayed;
import io.idempotency.ResendCheck;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.springframework.boot.convert.DurationStyle;

/** Counts and times consumptions. The meters are named and tagged as in docs/spring-boot.md. Thread-safe. */
final class Meters implements ConsumptionListener {

    static final String CONSUMPTIONS = "idempotency.consumptions";
    static final String DUPLICATES = "idempotency.duplicates";
    static final String AGE = "idempotency.duplicates.age";
    static final String TRANSIENT = "idempotency.transient.failures";
    static final String STUCK = "idempotency.transient.stuck";
    static final String EARLY = "idempotency.early.commits";
    static final String REPLAYED = "idempotency.replay.messages";
    static final String UNWATCHED = "idempotency.shadow.unwatched";
    static final String CHECKS = "idempotency.payload.checks";
    static final String MISMATCHES = "idempotency.payload.mismatches";

    private static final String FAILED = "failed";
    /** A redelivery of a message that is in quarantine already. It is no news, and no alert should be raised for it. */
    private static final String QUARANTINED_BEFORE = "quarantined_before";

    /** A message behind an earlier one of its key. The alert is raised for that one. */
    private static final String QUARANTINED_BEHIND = "quarantined_behind";

    private static final List<String> OUTCOMES = List.of(
            name(Outcome.PROCESSED),
            name(Outcome.DUPLICATE),
            FAILED,
            name(Outcome.QUARANTINED),
            QUARANTINED_BEFORE,
            QUARANTINED_BEHIND,
            name(Outcome.EXPIRED),
            name(Outcome.IN_PROGRESS));

    private static final List<String> SHADOW_OUTCOMES = List.of(
            name(Outcome.PROCESSED), name(Outcome.WOULD_SKIP), name(Outcome.WOULD_EXPIRE), name(Outcome.WOULD_REFUSE));

    /** The bounds of the ages of duplicates: a minute, ten, an hour, six, a day, four days, seven, eight. */
    private static final double[] AGES = Stream.of("1m", "10m", "1h", "6h", "1d", "4d", "7d", "8d")
            .mapToDouble(Meters::seconds)
            .toArray();

    private final MeterRegistry registry;

    Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Registers all meters of a consumer with 0. The rate of a meter does not show the first event if the meter did not exist before. */
    void begin(String consumer, ConsistencyLevel level, boolean isShadow) {
        (isShadow ? SHADOW_OUTCOMES : OUTCOMES).forEach(outcome -> consumptions(consumer, level, outcome));
        for (Duplicate.Kind kind : Duplicate.Kind.values()) {
            duplicates(consumer, kind);
        }
        age(consumer);
        if (isShadow) {
            unwatched(consumer);
            return;
        }
        transientFailures(consumer);
        stuck(consumer);
        earlyCommits(consumer);
        for (ReplayResult result : ReplayResult.values()) {
            replayed(consumer, result);
        }
        mismatches(consumer);
        for (ResendCheck.Result result : ResendCheck.Result.values()) {
            checks(consumer, result);
        }
    }

    @Override
    public void onConsumption(Consumption consumption) {
        String consumer = consumption.delivery().id().consumer();
        if (consumption.isTransient()) {
            transientFailures(consumer).increment();
            if (consumption.isStuck()) {
                stuck(consumer).increment();
            }
            return;
        }
        consumptions(consumer, consumption.level(), outcome(consumption))
                .record(consumption.handlerNanos(), TimeUnit.NANOSECONDS);
        consumption.duplicate().ifPresent(duplicate -> {
            duplicates(consumer, duplicate.kind()).increment();
            age(consumer).record(duplicate.age().toMillis() / 1000.0);
        });
    }

    @Override
    public void onEarlyCommit(Delivery first) {
        earlyCommits(first.id().consumer()).increment();
    }

    @Override
    public void onReplay(Replayed replayed) {
        replayed(replayed.delivery().id().consumer(), replayed.result()).increment();
    }

    @Override
    public void onUnwatched(Delivery delivery) {
        unwatched(delivery.id().consumer()).increment();
    }

    @Override
    public void onResendChecked(Delivery delivery, Position first, ResendCheck.Result result) {
        checks(delivery.id().consumer(), result).increment();
        if (result == ResendCheck.Result.DIFFERENT) {
            mismatches(delivery.id().consumer()).increment();
        }
    }

    private Timer consumptions(String consumer, ConsistencyLevel level, String outcome) {
        return Timer.builder(CONSUMPTIONS)
                .description("Consumptions by outcome; the time is the handler's, and 0 if it did not run")
                .tag("consumer", consumer)
                .tag("level", name(level))
                .tag("outcome", outcome)
                .register(registry);
    }

    private Counter duplicates(String consumer, Duplicate.Kind kind) {
        return Counter.builder(DUPLICATES)
                .description("Messages skipped, or in shadow mode not skipped, that were processed before")
                .tag("consumer", consumer)
                .tag("kind", name(kind))
                .register(registry);
    }

    private DistributionSummary age(String consumer) {
        return DistributionSummary.builder(AGE)
                .description("Time since the original of a duplicate was processed")
                .baseUnit("seconds")
                .serviceLevelObjectives(AGES)
                .tag("consumer", consumer)
                .register(registry);
    }

    private Counter transientFailures(String consumer) {
        return counter(TRANSIENT, consumer, "Transient failures, which do not count as attempts");
    }

    private Counter stuck(String consumer) {
        return counter(
                STUCK, consumer, "Transient failures that do not pass: each one after many others of the same message");
    }

    private Counter unwatched(String consumer) {
        return counter(
                UNWATCHED, consumer, "Deliveries that a shadow consumer did not watch: its store does not keep up");
    }

    private Counter earlyCommits(String consumer) {
        return counter(EARLY, consumer, "Transactions that a listener committed itself, too early");
    }

    private Counter replayed(String consumer, ReplayResult result) {
        return Counter.builder(REPLAYED)
                .description("Messages of replays by result")
                .tag("consumer", consumer)
                .tag("result", name(result))
                .register(registry);
    }

    private Counter mismatches(String consumer) {
        return counter(MISMATCHES, consumer, "Messages with the id of a processed one and another value");
    }

    private Counter checks(String consumer, ResendCheck.Result result) {
        return Counter.builder(CHECKS)
                .description("Messages that were sent again, by the result of their comparison with the first one")
                .tag("consumer", consumer)
                .tag("result", name(result))
                .register(registry);
    }

    private Counter counter(String name, String consumer, String description) {
        return Counter.builder(name)
                .description(description)
                .tag("consumer", consumer)
                .register(registry);
    }

    private static String outcome(Consumption consumption) {
        boolean isFailure = consumption.failure().isPresent();
        return switch (consumption.outcome()) {
            case RELEASED -> isFailure ? FAILED : name(Outcome.RELEASED);
            case QUARANTINED -> quarantined(consumption);
            default -> name(consumption.outcome());
        };
    }

    private static String quarantined(Consumption consumption) {
        return consumption
                .failure()
                .map(why -> why instanceof BehindQuarantineException ? QUARANTINED_BEHIND : name(Outcome.QUARANTINED))
                .orElse(QUARANTINED_BEFORE);
    }

    private static double seconds(String duration) {
        return DurationStyle.SIMPLE.parse(duration).toSeconds();
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
