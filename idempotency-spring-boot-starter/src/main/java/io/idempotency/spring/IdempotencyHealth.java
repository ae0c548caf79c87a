package io.idempotency.spring;

import io.idempotency.Standstill;
import io.idempotency.Standstills;
import io.idempotency.outbox.OutboxRelay;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.event.EventListener;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Says of each consumer whether it runs, waits or stands still. The health is down if a partition stands still, and after a thread of a listener has ended
 * although nobody stopped it: nobody polls in its place until its container is started again. It is also down if the relay of the outbox has failed for a minute. It makes no round trip. Thread-safe.
 */
final class IdempotencyHealth implements HealthIndicator {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    /** A relay that has failed for so long stands still. */
    private static final Duration LASTING = Duration.ofMinutes(1);

    private final Standstills standstills;
    private final Supplier<@Nullable RunningRelay> relay;
    /** Why threads of listeners have ended, by listener. */
    private final Map<String, String> ended = new ConcurrentHashMap<>();

    IdempotencyHealth(Standstills standstills, Supplier<@Nullable RunningRelay> relay) {
        this.standstills = standstills;
        this.relay = relay;
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
                ? ofThreads.getCommonErrorHandler() instanceof WaitingErrorHandler
                : ShareListeners.isIdempotent(container);
    }

    @Override
    public Health health() {
        List<Standstill> all = standstills.all();
        Map<String, Object> told = new TreeMap<>(ended);
        standstills.consumers().forEach(consumer -> told.put(consumer, Map.of("state", "runs")));
        Map<String, Map<String, Object>> partitions = new TreeMap<>();
        all.forEach(each -> partitions
                .computeIfAbsent(each.consumer(), name -> new TreeMap<>())
                .put(each.partition(), described(each)));
        partitions.forEach(
                (consumer, of) -> told.put(consumer, Map.of("state", state(all, consumer), "partitions", of)));
        boolean isDown = !ended.isEmpty() || all.stream().anyMatch(Standstill::isLasting);
        isDown |= isRelayDown(told);
        return (isDown ? Health.down() : Health.up()).withDetails(told).build();
    }

    /** Adds what the relay of the outbox does, if there is one. */
    private boolean isRelayDown(Map<String, Object> told) {
        RunningRelay running = relay.get();
        if (running == null) {
            return false;
        }
        Optional<OutboxRelay.Trouble> trouble = running.trouble();
        boolean isLasting =
                trouble.isPresent() && trouble.get().since().plus(LASTING).isBefore(Instant.now());
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("state", trouble.isPresent() ? state(isLasting) : "runs");
        running.counted().ifPresent(counted -> {
            described.put("waiting", counted.total().waiting());
            described.put("oldestSeconds", counted.total().age().toSeconds());
            described.put("refused", counted.total().refused());
            described.put(
                    "countedAt", counted.at().truncatedTo(ChronoUnit.SECONDS).toString());
        });
        trouble.ifPresent(each -> {
            described.put("since", each.since().truncatedTo(ChronoUnit.SECONDS).toString());
            described.put(
                    "why",
                    NestedExceptionUtils.getMostSpecificCause(each.failure())
                            .getClass()
                            .getName());
            described.put(
                    "help", "Outputs wait in the outbox until Kafka and the database can be reached; see the log");
        });
        told.put("outbox", described);
        return isLasting;
    }

    private static String state(List<Standstill> all, String consumer) {
        boolean isLasting = all.stream()
                .anyMatch(each -> each.isLasting() && each.consumer().equals(consumer));
        return state(isLasting);
    }

    private static String state(boolean isLasting) {
        return isLasting ? "stands still" : "waits";
    }

    private static Map<String, Object> described(Standstill each) {
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("state", state(each.isLasting()));
        described.put("at", each.position().toString());
        described.put("since", each.since().truncatedTo(ChronoUnit.SECONDS).toString());
        described.put("reason", each.reason().tag());
        described.put("why", each.why());
        described.put("help", each.reason().help());
        return described;
    }
}
