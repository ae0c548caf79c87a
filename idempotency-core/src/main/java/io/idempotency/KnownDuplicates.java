package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Guards the duplicate cache: fills it after a commit only, and never with a message that was forgotten between the look-up in the store
 * and the commit. A cache that fails counts as empty; only a failed {@link #forget} throws. Thread-safe.
 */
final class KnownDuplicates {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final DuplicateCache cache;
    private final ReadWriteLock forgetting = new ReentrantReadWriteLock();
    private long forgotten;

    KnownDuplicates(DuplicateCache cache) {
        this.cache = cache;
    }

    Optional<DuplicateCache.Known> find(MessageId id) {
        try {
            return cache.find(id);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn("The cache of known duplicates failed for {}; the store is asked.", id, FailureText.loggable(e));
            return Optional.empty();
        }
    }

    /** Returns a mark for {@link #remember}. Take it before the store is asked. */
    long mark() {
        forgetting.readLock().lock();
        try {
            return forgotten;
        } finally {
            forgetting.readLock().unlock();
        }
    }

    /** Remembers a message whose processing has committed, unless something was forgotten since the mark. */
    void remember(Delivery delivery, Optional<Duplicate> duplicate, long mark) {
        forgetting.readLock().lock();
        try {
            if (forgotten == mark) {
                cache.remember(
                        delivery.id(),
                        duplicate
                                .map(known -> new DuplicateCache.Known(known.first(), known.age()))
                                .orElseGet(() -> new DuplicateCache.Known(delivery.position(), Duration.ZERO)));
            }
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The cache of known duplicates failed for {}; the store remembers it.",
                    delivery,
                    FailureText.loggable(e));
        } finally {
            forgetting.readLock().unlock();
        }
    }

    void forget(MessageId id) {
        forgetting.writeLock().lock();
        try {
            forgotten++;
            cache.forget(id);
        } finally {
            forgetting.writeLock().unlock();
        }
    }
}
