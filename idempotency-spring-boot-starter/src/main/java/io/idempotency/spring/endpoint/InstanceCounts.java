package io.idempotency.spring.endpoint;

import io.idempotency.BehindQuarantineException;
import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.store.ClaimStore;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts what the consumers of this instance handle. Counting takes no lock and allocates nothing. Thread-safe. */
final class InstanceCounts implements ConsumptionListener {

    /** A consumer of this instance. */
    record Known(ConsistencyLevel level, ClaimStore store, OfConsumer counts) {}

    private final Map<String, Known> consumers = new ConcurrentHashMap<>();

    @Override
    public void onBuilt(String consumer, ConsistencyLevel level, boolean isShadow, ClaimStore store) {
        consumers.compute(
                consumer,
                (name, before) -> new Known(level, store, before == null ? new OfConsumer() : before.counts()));
    }

    @Override
    public void onConsumption(Consumption consumption) {
        Known known = consumers.get(consumption.delivery().id().consumer());
        if (known != null && !consumption.isTransient()) {
            known.counts().count(consumption);
        }
    }

    Optional<Known> find(String consumer) {
        return Optional.ofNullable(consumers.get(consumer));
    }

    /** The counts of one consumer. */
    static final class OfConsumer {

        private final Map<Outcome, LongAdder> outcomes = adders(Outcome.class);
        private final Map<Duplicate.Kind, LongAdder> kinds = adders(Duplicate.Kind.class);
        private final DuplicateAges ages = new DuplicateAges();

        /** Returns a map that is only read from now on. */
        private static <K extends Enum<K>> Map<K, LongAdder> adders(Class<K> keys) {
            Map<K, LongAdder> adders = new EnumMap<>(keys);
            for (K key : keys.getEnumConstants()) {
                adders.put(key, new LongAdder());
            }
            return adders;
        }

        private static <K> LongAdder of(Map<K, LongAdder> adders, K key) {
            return Objects.requireNonNull(adders.get(key));
        }

        private void count(Consumption consumption) {
            if (isCounted(consumption)) {
                of(outcomes, consumption.outcome()).increment();
            }
            if (consumption.duplicate().isPresent()) {
                Duplicate duplicate = consumption.duplicate().get();
                of(kinds, duplicate.kind()).increment();
                ages.count(duplicate.age());
            }
        }

        /** Only what the meters count as failed or quarantined: no message in quarantine that comes again, and none behind another one of its key. */
        private static boolean isCounted(Consumption consumption) {
            return switch (consumption.outcome()) {
                case RELEASED -> consumption.failure().isPresent();
                case QUARANTINED ->
                    consumption.failure().isPresent()
                            && !(consumption.failure().get() instanceof BehindQuarantineException);
                default -> true;
            };
        }

        Answers.Counts told() {
            Map<String, Long> duplicates = new TreeMap<>();
            for (Duplicate.Kind kind : Duplicate.Kind.values()) {
                duplicates.put(
                        kind.name().toLowerCase(Locale.ROOT), of(kinds, kind).sum());
            }
            return new Answers.Counts(
                    of(Outcome.PROCESSED),
                    of(Outcome.RELEASED),
                    of(Outcome.QUARANTINED),
                    of(Outcome.EXPIRED),
                    duplicates);
        }

        private long of(Outcome outcome) {
            return of(outcomes, outcome).sum();
        }

        Answers.@Nullable Ages ages() {
            return ages.told();
        }
    }
}
