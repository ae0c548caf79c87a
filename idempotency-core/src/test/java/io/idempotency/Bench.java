package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.MemoryQuarantine;
import io.idempotency.store.MemoryStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    }
}
