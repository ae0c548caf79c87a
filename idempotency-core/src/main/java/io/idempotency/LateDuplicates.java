package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.Printable;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Warns of duplicates that come late: if they came later than the retention, they would be processed again. Once an hour. Thread-safe. */
final class LateDuplicates {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);
    private static final Duration PAUSE = Duration.ofHours(1);

    private final ClaimStore store;
    private final LongSupplier nanoTime;
    private final AtomicLong nextNanos;

    LateDuplicates(ClaimStore store, LongSupplier nanoTime) {
        this.store = store;
        this.nanoTime = nanoTime;
        this.nextNanos = new AtomicLong(nanoTime.getAsLong());
    }

    void note(Delivery delivery, Duration age) {
        long next = nextNanos.get();
        long now = nanoTime.getAsLong();
        if (now - next < 0) {
            return;
        }
        Optional<Duration> retention = store.remembers(delivery.id().consumer());
        if (retention.isPresent()
                && age.multipliedBy(2).compareTo(retention.get()) > 0
                && nextNanos.compareAndSet(next, now + PAUSE.toNanos())) {
            log.warn(
                    "Duplicates come close to the horizon: {} came {} after its original, and messages of {} are remembered for {}. A later copy would be"
                            + " processed again. Remember them for longer, by Purger.retention(..), in Spring idempotency.retention; for a journal by"
                            + " JournalStoreBuilder.retention(..), in Spring idempotency.journal.retention.",
                    delivery,
                    Printable.of(age),
                    delivery.id().consumer(),
                    Printable.of(retention.get()));
        }
    }
}
