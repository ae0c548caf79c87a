package io.idempotency;

import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A memory store, a handler whose effects roll back with its transaction, and what happened. */
final class Bench {

    private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
    final MemoryStore store = MemoryStore.builder()
            .clock(this::now)
            .claimTimeout(Duration.ofSeconds(30))
            .build();
    final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    final List<String> effects = Collections.synchronizedList(new ArrayList<>());
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    final List<Consumption> events = Collections.synchronizedList(new ArrayList<>());
    final Map<String, Throwable> failing = new HashMap<>();
    final MapCache cache = new MapCache();
    /** How often messages were delivered. */
    int deliveries;

    Instant now() {
        return now;
    }

    void passTime(Duration time) {
        now = now.plus(time);
    }

    IdempotentConsumerBuilder<Message> strong() {
        return IdempotentConsumer.<Message>named("billing")
                .store(store)
                .messageId(Message::messageId)
                .reader(Message.READER)
                .failures(FailurePolicy.quarantineAfter(3))
                .quarantine(quarantine)
                .cache(cache)
                .listener(events::add);
    }

    IdempotentConsumerBuilder<Message> level(ConsistencyLevel level) {
        return strong().level(level);
    }

    /** Its effect happens if its transaction commits; where there is none, at once. */
    void handle(Message message, Claim claim) throws Exception {
        calls.add(message.id());
        Throwable failure = failing.get(message.id());
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof Exception exception) {
            throw exception;
        }
        effect(message);
    }

    void handleBatch(List<Message> messages, List<Claim> claims) throws Exception {
        for (int i = 0; i < messages.size(); i++) {
            handle(messages.get(i), claims.get(i));
        }
    }

    void effect(Message message) {
        if (store.transactions().isActive()) {
            store.transactions().afterCommit(() -> effects.add(message.id()));
        } else {
            effects.add(message.id());
        }
    }

    /**
     * Delivers messages, and new copies of those again that are left at once, as a poll loop does: from the first one on that is not settled in
     * each partition, until all is settled or its partition waits. Returns the result of all deliveries together.
     */
    BatchResult deliver(List<Message> messages, Function<List<Message>, BatchResult> consume) {
        Outcome[] outcomes = new Outcome[messages.size()];
        Map<Integer, Stop> waiting = new TreeMap<>();
        List<Integer> open = IntStream.range(0, messages.size()).boxed().toList();
        while (!open.isEmpty()) {
            List<Integer> delivered = open;
            BatchResult result = consume.apply(
                    delivered.stream().map(messages::get).map(Message::copy).toList());
            for (int i = 0; i < delivered.size(); i++) {
                outcomes[delivered.get(i)] = result.outcomes().get(i);
            }
            for (Stop stop : result.stops()) {
                if (stop.isCharged() || !stop.retryAfter().isZero()) {
                    int at = delivered.get(stop.index());
                    waiting.put(at, new Stop(at, stop.retryAfter(), stop.cause(), stop.isCharged()));
                }
            }
            open = delivered.stream()
                    .filter(at -> !outcomes[at].isSettled()
                            && waiting.keySet().stream()
                                    .noneMatch(stopped -> messages.get(stopped)
                                                    .position()
                                                    .partition()
                                            == messages.get(at).position().partition()))
                    .toList();
            deliveries++;
        }
        return new BatchResult(List.of(outcomes), List.copyOf(waiting.values()));
    }

    List<Outcome> outcomes() {
        return events.stream().map(Consumption::outcome).toList();
    }

    Consumption lastEvent() {
        return events.get(events.size() - 1);
    }

    /** A cache that keeps everything. */
    static final class MapCache implements DuplicateCache {

        final Map<String, Known> known = new HashMap<>();

        @Override
        public Optional<Known> find(io.idempotency.store.MessageId id) {
            return Optional.ofNullable(known.get(id.value()));
        }

        @Override
        public void remember(io.idempotency.store.MessageId id, Known value) {
            known.put(id.value(), value);
        }

        @Override
        public void forget(io.idempotency.store.MessageId id) {
            known.remove(id.value());
        }

        @Override
        public void clear() {
            known.clear();
        }
    }
}
