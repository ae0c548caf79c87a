package io.idempotency.spring;

import io.idempotency.jdbc.JournalStore;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** Gauges of the memory of the journals. */
final class JournalMeters {

    static final String MEMORY = "idempotency.journal.memory";
    static final String MESSAGES = "idempotency.journal.messages";

    private final MeterRegistry registry;

    JournalMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void bind(JournalStore store) {
        Gauge.builder(MEMORY, store, JournalStore::memoryBytes)
                .description("Memory that the journals take in this process")
                .baseUnit("bytes")
                .register(registry);
        Gauge.builder(MESSAGES, store, JournalStore::rememberedMessages)
                .description("Messages that the journals keep in memory")
                .baseUnit("messages")
                .register(registry);
    }
}
