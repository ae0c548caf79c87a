package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Guards the duplicate cache: fills it after a commit only, and never with a message that was forgotten between the look-up in the store
 * and the commit. A cache that fails counts as empty; only a failed {@link #forget} throws. Thread-safe.
 */
final class KnownDuplicates {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** All of this process, as long as somebody uses them. */
    private static final Set<KnownDuplicates> ALL = Collections.newSetFromMap(new WeakHashMap<>());

    private final String consumer;
    private final DuplicateCache cache;
    private final ReadWriteLock forgetting = new ReentrantReadWriteLock();
    private long forgotten;

    KnownDuplicates(String consumer, DuplicateCache cache) {
        this.consumer = consumer;
        this.cache = cache;
        if (isKept()) {
            synchronized (ALL) {
                ALL.add(this);
            }
        }
    }

    /** Returns whether there is a cache in this process. */
    static boolean areThere() {
        synchronized (ALL) {
            return !ALL.isEmpty();
        }
    }

    /** Forgets a message in every cache of its consumer in this process. A cache that fails is logged. */
    static void forgetEverywhere(MessageId id) {
        everywhere(id.consumer(), each -> each.forget(id));
    }

    /** Empties every cache of a consumer in this process, when it is unknown which messages were forgotten. */
    static void clearEverywhere(String consumer) {
        everywhere(consumer, KnownDuplicates::clear);
    }

    private static void everywhere(String consumer, Consumer<KnownDuplicates> action) {
        List<KnownDuplicates> all;
        synchronized (ALL) {
            all = ALL.stream().filter(each -> each.consumer.equals(consumer)).toList();
        }
        for (KnownDuplicates each : all) {
            try {
                action.accept(each);
            } catch (RuntimeException e) {
                log.warn(
                        "A cache of known duplicates of {} failed to forget, and may answer for forgotten messages.",
                        consumer,
                        FailureText.loggable(e));
            }
        }
    }

    /** Returns whether there is a cache. */
    boolean isKept() {
        return cache != DuplicateCache.none();
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
        if (!isKept()) {
            return;
        }
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

    /** Remembers messages that were processed together, once that has committed, unless something was forgotten since the mark. */
    void remember(List<Delivery> processed, long mark) {
        if (!isKept()) {
            return;
        }
        forgetting.readLock().lock();
        try {
            if (forgotten == mark) {
                for (Delivery delivery : processed) {
                    cache.remember(delivery.id(), new DuplicateCache.Known(delivery.position(), Duration.ZERO));
                }
            }
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The cache of known duplicates failed for {} and others; the store remembers them.",
                    processed.get(0),
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

    private void clear() {
        forgetting.writeLock().lock();
        try {
            forgotten++;
            cache.clear();
        } finally {
            forgetting.writeLock().unlock();
        }
    }
}
