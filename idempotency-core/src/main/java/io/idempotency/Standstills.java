package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.LongSupplier;

/**
 * Knows which partitions of which consumers make no progress in this process, and why. A partition that settles a message is forgotten, and so is one that
 * was given up. One that fails at another message than before starts anew. Add it to each consumer by {@link IdempotentConsumerBuilder#listener}.
 *
 * <p>No method makes a round trip. If the process dies, nothing is left of it. Thread-safe.
 */
public final class Standstills implements ConsumptionListener {

    /** How long a partition may fail at one message before it stands still. */
    public static final Duration PATIENCE = Duration.ofMinutes(1);

    private record Place(String consumer, String stream, int partition) {

        static Place of(Delivery delivery) {
            Position position = delivery.position();
            return new Place(delivery.id().consumer(), position.stream(), position.partition());
        }
    }

    /** @param isBetween whether its message has failed for good, and the next one has not come yet */
    private record Stuck(Delivery delivery, Standstill.Reason reason, String why, long sinceNanos, boolean isBetween) {

        Stuck between() {
            return new Stuck(delivery, reason, why, sinceNanos, true);
        }

        boolean isGoingOnAt(Delivery next) {
            return isBetween || delivery.equals(next);
        }
    }

    private final Map<Place, Stuck> stuck = new ConcurrentHashMap<>();
    private final SortedSet<String> consumers = new ConcurrentSkipListSet<>();
    private final LongSupplier nanoTime;
    private final InstantSource clock;

    /** Creates one that knows of nothing yet. */
    public Standstills() {
        this(System::nanoTime, InstantSource.system());
    }

    /**
     * Creates one with clocks of its own, for tests.
     *
     * @param nanoTime the clock that measures how long a partition has been standing
     * @param clock the clock that tells since when
     */
    public Standstills(LongSupplier nanoTime, InstantSource clock) {
        this.nanoTime = nanoTime;
        this.clock = clock;
    }

    @Override
    public void onBuilt(String consumer, ConsistencyLevel level, boolean isShadow, ClaimStore store) {
        consumers.add(consumer);
    }

    @Override
    public void onConsumption(Consumption consumption) {
        boolean isSettled = consumption.outcome().isSettled();
        if (isSettled && stuck.isEmpty()) {
            return;
        }
        Delivery delivery = consumption.delivery();
        Place place = Place.of(delivery);
        if (isTrial(consumption)) {
            stuck.computeIfPresent(place, (key, before) -> before.between());
        } else if (isSettled) {
            stuck.remove(place);
        } else {
            Standstill.Reason reason = reason(consumption);
            String why = consumption.failure().map(Standstills::kind).orElse("in progress elsewhere");
            long now = nanoTime.getAsLong();
            stuck.compute(
                    place,
                    (key, before) -> new Stuck(
                            delivery,
                            reason,
                            why,
                            before != null && before.isGoingOnAt(delivery) ? before.sinceNanos() : now,
                            false));
        }
    }

    /** Returns whether a message has failed that is not tried twice: a partition that stands still tries one after another. */
    private static boolean isTrial(Consumption consumption) {
        return consumption.level() == ConsistencyLevel.AT_MOST_ONCE
                && consumption.outcome() == Outcome.QUARANTINED
                && consumption.failure().isPresent();
    }

    private static Standstill.Reason reason(Consumption consumption) {
        if (consumption.failure().isEmpty()) {
            return Standstill.Reason.IN_PROGRESS;
        }
        if (Causes.of(consumption.failure().get()).stream().anyMatch(StandStillException.class::isInstance)) {
            return Standstill.Reason.REFUSED;
        }
        return consumption.isTransient() ? Standstill.Reason.TRANSIENT : Standstill.Reason.FAILURE;
    }

    /** Other texts of exceptions may hold data that not everybody who sees the health may see. */
    private static String kind(Throwable failure) {
        List<Throwable> causes = Causes.of(failure);
        for (Throwable cause : causes) {
            if (cause instanceof StandStillException still) {
                return still.reason();
            }
        }
        return causes.get(causes.size() - 1).getClass().getName();
    }

    /** {@inheritDoc} The process that consumes it now tells of it. */
    @Override
    public void onRevoked(String consumer, String stream, int partition) {
        stuck.remove(new Place(consumer, stream, partition));
    }

    /** Returns the names of the consumers that were built, in order. */
    public SortedSet<String> consumers() {
        return new TreeSet<>(consumers);
    }

    /** Returns the partitions that make no progress, in the order of consumers, topics and partitions. */
    public List<Standstill> all() {
        long now = nanoTime.getAsLong();
        return stuck.values().stream()
                .filter(each -> !each.isBetween())
                .map(each -> told(each, now - each.sinceNanos()))
                .sorted(Comparator.comparing(Standstill::consumer)
                        .thenComparing(each -> each.position().stream())
                        .thenComparing(each -> each.position().partition()))
                .toList();
    }

    private Standstill told(Stuck each, long nanos) {
        return new Standstill(
                each.delivery().id(),
                each.delivery().position(),
                each.reason(),
                each.why(),
                clock.instant().minusNanos(nanos),
                nanos > PATIENCE.toNanos());
    }

    /** Returns how many partitions of a consumer stand still for this reason. */
    public int lasting(String consumer, Standstill.Reason reason) {
        long now = nanoTime.getAsLong();
        return (int) stuck.values().stream()
                .filter(each -> each.reason() == reason
                        && !each.isBetween()
                        && now - each.sinceNanos() > PATIENCE.toNanos()
                        && each.delivery().id().consumer().equals(consumer))
                .count();
    }
}
