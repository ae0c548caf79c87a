package io.idempotency.testkit;

import io.idempotency.store.MemoryStore;
import java.time.Duration;

class MemoryStoreTest implements ClaimContract {

    private final MovableClock clock = MovableClock.create();
    private final MemoryStore store = MemoryStore.builder()
            .clock(clock)
            .claimTimeout(Duration.ofSeconds(1))
            .build();

    @Override
    public MemoryStore store() {
        return store;
    }

    @Override
    public void passTime(Duration duration) {
        clock.pass(duration);
    }
}
