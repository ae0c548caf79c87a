package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Replayer;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.QuarantineEntry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/**
 * Carries out the replays of the listeners: one replayer for each consumer, however many threads and containers it has. It works while the listener's
 * container runs and is not paused; of a listener with retry topics, while its main container does. It starts after the containers and stops before
 * them, and then waits for the message that it handles. Thread-safe.
 */
final class ListenerReplays implements SmartLifecycle {

    private static final int AFTER_CONTAINERS = AbstractMessageListenerContainer.DEFAULT_PHASE + 50;

    private final ObjectProvider<ReplayStore> replays;
    private final Observations observations;
    private final Map<String, OfConsumer> consumers = new ConcurrentHashMap<>();
    private volatile boolean isRunning;

    ListenerReplays(ObjectProvider<ReplayStore> replays, Observations observations) {
        this.replays = replays;
        this.observations = observations;
    }

    /** Notes a container whose consumer has a quarantine. */
    void add(AbstractMessageListenerContainer<Object, Object> container, FittedContainer fitted) {
        add(fitted.consumer(), new ReplayedContainer(container, fitted, observations));
    }

    /** Notes a container of a consumer. */
    void add(IdempotentConsumer<ConsumerRecord<Object, Object>> consumer, ReplayTarget container) {
        OfConsumer of = consumers.computeIfAbsent(consumer.name(), name -> new OfConsumer(consumer));
        of.containers.add(container);
        if (isRunning) {
            replays.ifAvailable(of::start);
        }
    }

    /** Returns whether there is a store of replays. */
    boolean isPossible() {
        return replays.getIfAvailable() != null;
    }

    /** Looks for replays at once. */
    void wake() {
        consumers.values().forEach(OfConsumer::wake);
    }

    @Override
    public void start() {
        isRunning = true;
        replays.ifAvailable(store -> consumers.values().forEach(of -> of.start(store)));
    }

    @Override
    public void stop() {
        isRunning = false;
        consumers.values().forEach(OfConsumer::stop);
    }

    @Override
    public boolean isRunning() {
        return isRunning;
    }

    @Override
    public int getPhase() {
        return AFTER_CONTAINERS;
    }

    /** The containers of one consumer, and its replayer while it runs. */
    private static final class OfConsumer {

        private final IdempotentConsumer<ConsumerRecord<Object, Object>> live;
        private final List<ReplayTarget> containers = new CopyOnWriteArrayList<>();
        private volatile @Nullable Replayer<ConsumerRecord<Object, Object>> replayer;

        OfConsumer(IdempotentConsumer<ConsumerRecord<Object, Object>> live) {
            this.live = live;
        }

        synchronized void start(ReplayStore store) {
            if (replayer == null) {
                Replayer<ConsumerRecord<Object, Object>> started = Replayer.of(live, store);
                started.start(
                        (entry, replay) -> of(entry).handle(entry, replay, started.consumer()),
                        () -> main().isWorking());
                replayer = started;
            }
        }

        private ReplayTarget main() {
            return first(container -> !container.isRetry()).orElseGet(() -> containers.get(0));
        }

        /** Returns the container that polls the topic of a message, such as a retry topic, or the main one if none polls it any more. */
        private ReplayTarget of(QuarantineEntry entry) {
            String topic = entry.message().delivery().position().stream();
            return first(container -> container.polls(topic)).orElseGet(this::main);
        }

        /** Of several, one that works: a program may have made another container for the same listener. */
        private Optional<ReplayTarget> first(Predicate<ReplayTarget> isWanted) {
            List<ReplayTarget> wanted = containers.stream().filter(isWanted).toList();
            return wanted.stream()
                    .filter(ReplayTarget::isWorking)
                    .findFirst()
                    .or(() -> wanted.stream().findFirst());
        }

        void wake() {
            Replayer<?> running = replayer;
            if (running != null) {
                running.wake();
            }
        }

        synchronized void stop() {
            Replayer<?> running = replayer;
            if (running != null) {
                running.close();
            }
            replayer = null;
            containers.forEach(ReplayTarget::close);
        }
    }
}
