package io.idempotency.testkit;

import io.idempotency.store.MemoryQuarantine;
import io.idempotency.store.MemoryStore;
import java.time.Duration;

class MemoryStoreTest implements ClaimContract, LeaseContract, QuarantineContract {

    private final MovableClock clock = MovableClock.create();
    private final MemoryStore store = MemoryStore.builder()
            .clock(clock)
            .claimTimeout(Duration.ofSeconds(1))
            .build();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);

    @Override
    public MemoryStore store() {
        return store;
    }

    @Override
    public MemoryQuarantine quarantine() {
        return quarantine;
    }

    @Override
    public void passTime(Duration duration) {
        clock.pass(duration);
    }
}
