package io.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryStoreTest
        implements ClaimContract,
                LeaseContract,
                QuarantineContract,
                KeyOrderContract,
                ReplayContract,
                OperatorContract,
                AuditContract {

    private final MovableClock clock = MovableClock.create();
    private final MemoryStore store = MemoryStore.builder()
            .clock(this::tick)
            .claimTimeout(Duration.ofSeconds(1))
            .build();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final MemoryAudit audit = new MemoryAudit(store);
    private final MemoryReplays replays = new MemoryReplays(store, quarantine);

    /** As any other clock, it never shows the same time twice. */
    private Instant tick() {
        clock.pass(Duration.ofNanos(1000));
        return clock.instant();
    }

    @Override
    public MemoryStore store() {
        return store;
    }

    @Override
    public MemoryReplays replays() {
        return replays;
    }

    @Override
    public MemoryQuarantine quarantine() {
        return quarantine;
    }

    @Override
    public MemoryAudit audit() {
        return audit;
    }

    @Override
    public void passTime(Duration duration) {
        clock.pass(duration);
    }

    @Test
    void survivesConcurrentClaims() {
        ConcurrencyFuzz.run(store);
    }

    @Test
    void letsTheOlderOfTwoTransactionsThroughThatWaitForEachOther() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread older = OtherThread.inTransaction(store)) {
            older.run(() -> store.claim(List.of(messages.at("order-1", 1))));
            try (OtherThread younger = OtherThread.inTransaction(store)) {
                younger.run(() -> store.claim(List.of(messages.at("order-2", 2))));
                OtherThread.Step<List<Claim>> waiting =
                        younger.begin(() -> store.claim(List.of(messages.at("order-1", 1))));
                younger.awaitWaiting(waiting);

                assertThat(older.run(() -> store.claim(List.of(messages.at("order-2", 2)))))
                        .allMatch(Claim::isGranted);

                assertThatThrownBy(waiting::answer).isInstanceOf(TransientStoreException.class);
            }
        }
    }

    @Test
    void answersAsAnotherMemoryStore() {
        StoreComparison.run(this);
    }

    @Test
    void tellsTwoAttemptsApartThatEndAtTheSameInstant() {
        MemoryStore timeless = MemoryStore.builder().clock(clock).build();
        Messages messages = Messages.ofNewConsumer();
        Claim released = Leases.leased(timeless, messages.at("order-1", 1));
        timeless.release(List.of(released));
        Claim owner = Leases.leased(timeless, messages.at("order-1", 1));
        assertThat(owner.until()).isEqualTo(released.until());

        Leases.assertLost(() -> timeless.complete(List.of(released)), released);

        timeless.complete(List.of(owner));
    }

    @Test
    void forgetsTheMessagesSettledLongestAgoBeyondItsBound() {
        MemoryStore small = MemoryStore.builder().maxMessages(3).clock(clock).build();
        Messages messages = Messages.ofNewConsumer();
        Claim lease = Leases.leased(small, messages.at("leased", 1, 0));

        messages.inARow(5).forEach(delivery -> Transacted.claimed(small, delivery));

        assertThat(Transacted.rolledBack(small, () -> small.claim(messages.inARow(5))))
                .extracting(Claim::isGranted)
                .containsExactly(true, true, true, false, false);
        small.complete(List.of(lease));
    }

    @Test
    void neverForgetsALiveLeaseForItsBound() {
        MemoryStore small = MemoryStore.builder().maxMessages(3).clock(clock).build();
        Messages messages = Messages.ofNewConsumer();

        List<Claim> leases = small.lease(messages.inARow(5), Leases.MINUTE);
        small.complete(leases.subList(4, 5));

        assertThat(small.find(messages.id("m-4"))).isEmpty();
        assertThat(Transacted.claimed(small, messages.inARow(4))).noneMatch(Claim::isGranted);
    }
}
