package io.idempotency.simulation;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;

/** What the database of the processes remembers, behind its wire. */
record Memory(MemoryStore store, MemoryQuarantine quarantine, MemoryReplays replays, MemoryAudit audit) {

    static Memory of(MemoryStore store) {
        MemoryQuarantine quarantine = new MemoryQuarantine(store);
        return new Memory(store, quarantine, new MemoryReplays(store, quarantine), new MemoryAudit(store));
    }
}
