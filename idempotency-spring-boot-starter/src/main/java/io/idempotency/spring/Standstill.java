package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Outcome;
import io.idempotency.store.Delivery;
import io.idempotency.store.StandStillException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Reports which partitions of which consumers make no progress, and why. The health is down if a partition keeps failing at one message for more than
 * {@link #PATIENCE}; a partition that makes progress, or fails at another message, starts anew. The health is also down after a thread of a listener
 * has ended although nobody stopped it: nobody polls in its place until its container is started again. Thread-safe.
 */
final class Standstill implements ConsumptionListener, HealthIndicator {

    /** How long a partition may fail at one message before the health is down. */
    static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    /** @param isBetween whether its message has failed for good, and the next one has not come yet */
    private record Stuck(Delivery delivery, String why, long sinceNanos, boolean isBetween) {

        Stuck between() {
            return new Stuck(delivery, why, sinceNanos, true);
        }

        boolean isGoingOnAt(Delivery next) {
            return isBetween || delivery.equals(next);
        }
    }

    private final Map<String, Stuck> stuck = new ConcurrentHashMap<>();
    /** Why threads of listeners have ended, by listener. */
    private final Map<String, String> ended = new ConcurrentHashMap<>();

    private final java.util.function.LongSupplier nanoTime;

    Standstill(java.util.function.LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public void onConsumption(Consumption consumption) {
        String lane = lane(
                consumption.delivery().id().consumer(),
                consumption.delivery().position().stream(),
                consumption.delivery().position().partition());
        if (isTrial(consumption)) {
            stuck.computeIfPresent(lane, (key, before) -> before.between());
            return;
        }
        if (consumption.outcome() != Outcome.RELEASED && consumption.outcome() != Outcome.IN_PROGRESS) {
            stuck.remove(lane);
            return;
        }
        Delivery delivery = consumption.delivery();
        String why = consumption.failure().map(Standstill::kind).orElse("in progress elsewhere");
        stuck.compute(
                lane,
                (key, before) -> new Stuck(
                        delivery,
                        why,
                        before != null && before.isGoingOnAt(delivery) ? before.sinceNanos() : nanoTime.getAsLong(),
                        false));
    }

    /** Returns whether a message has failed that is not tried twice: a partition that stands still tries one after another. */
    private static boolean isTrial(Consumption consumption) {
        return consumption.level() == ConsistencyLevel.AT_MOST_ONCE
                && consumption.outcome() == Outcome.QUARANTINED
                && consumption.failure().isPresent();
    }

    /** {@inheritDoc} The process that consumes it now reports its health. */
    @Override
    public void onRevoked(String consumer, String stream, int partition) {
        stuck.remove(lane(consumer, stream, partition));
    }

    private static String lane(String consumer, String stream, int partition) {
        return consumer + " on " + stream + "-" + partition;
    }

    /**
     * Returns the reason of a stand-still, or the class of the root cause. Other texts of exceptions may hold data that not everybody who sees the health may
     * see.
     */
    private static String kind(Throwable failure) {
        List<Throwable> causes = Failure.causes(failure);
        for (Throwable cause : causes) {
            if (cause instanceof StandStillException still) {
                return still.reason();
            }
        }
        return causes.get(causes.size() - 1).getClass().getName();
    }

    @EventListener
    void onEnd(ConsumerStoppedEvent event) {
        MessageListenerContainer container = event.getContainer(MessageListenerContainer.class);
        if (event.getReason() != ConsumerStoppedEvent.Reason.NORMAL && isIdempotent(container)) {
            log.error(
                    "A thread of listener {} has ended ({}). Nobody polls in its place until its container is started again.",
                    container.getListenerId(),
                    event.getReason());
            ended.put("listener " + container.getListenerId(), "ended: " + event.getReason());
        }
    }

    @EventListener
    void onStart(ConsumerStartedEvent event) {
        ended.remove(
                "listener " + event.getContainer(MessageListenerContainer.class).getListenerId());
    }

    private static boolean isIdempotent(MessageListenerContainer container) {
        return container instanceof AbstractMessageListenerContainer<?, ?> ofThreads
                && ofThreads.getCommonErrorHandler() instanceof WaitingErrorHandler;
    }

    @Override
    public Health health() {
        Map<String, String> told = new TreeMap<>(ended);
        stuck.forEach((lane, where) -> {
            long nanos = nanoTime.getAsLong() - where.sinceNanos();
            if (nanos > PATIENCE.toNanos() && !where.isBetween()) {
                told.put(
                        lane,
                        "stands still at " + where.delivery().position() + " for "
                                + Duration.ofNanos(nanos).toSeconds() + " s: " + where.why());
            }
        });
        return (told.isEmpty() ? Health.up() : Health.down()).withDetails(told).build();
    }
}
