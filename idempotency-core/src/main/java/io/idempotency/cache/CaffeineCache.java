package io.idempotency.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.idempotency.DuplicateCache;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Caches known duplicates with Caffeine, a bounded number of them, each for a bounded time. The age of an entry grows while it is in the
 * cache. Thread-safe.
 *
 * <p>Keep the time shorter than the retention of the store: an id that the store has forgotten must not stay in the cache.
 */
public final class CaffeineCache implements DuplicateCache {

    /** How many ids are kept by default. */
    public static final long DEFAULT_MAX_IDS = 10_000;

    /** How long an id is kept by default. */
    public static final Duration DEFAULT_TIME = Duration.ofMinutes(10);

    private record Entry(Position position, Duration age, long rememberedAt) {}

    private final long timeNanos;
    private final Ticker ticker;
    private final Cache<MessageId, Entry> entries;
    /**
     * The time by which Caffeine evicts; {@link #find} itself checks whether the time of an id is over. If both read the clock, a duplicate took a
     * fifth longer. Measured by IdempotentConsumerBenchmark.skipsPoll.
     */
    private volatile long lastRemembered;

    private CaffeineCache(long maxIds, Duration time, Ticker ticker) {
        this.timeNanos = TimeUnit.NANOSECONDS.convert(time);
        this.ticker = ticker;
        this.entries = Caffeine.newBuilder()
                .maximumSize(maxIds)
                .expireAfterWrite(time)
                .ticker(() -> lastRemembered)
                .build();
    }

    /** Returns a cache of 10,000 ids for 10 minutes. */
    public static CaffeineCache create() {
        return of(DEFAULT_MAX_IDS, DEFAULT_TIME);
    }

    /**
     * Returns a cache of up to {@code maxIds} ids, each kept for this time after it was remembered last.
     *
     * @throws IdempotencyException if Caffeine is not on the class path
     */
    public static CaffeineCache of(long maxIds, Duration time) {
        try {
            return of(maxIds, time, Ticker.systemTicker());
        } catch (NoClassDefFoundError e) {
            throw new IdempotencyException(
                    "CaffeineCache needs com.github.ben-manes.caffeine:caffeine on the class path, which is an optional dependency",
                    e);
        }
    }

    /** Returns a cache that reads the time from the ticker. */
    public static CaffeineCache of(long maxIds, Duration time, Ticker ticker) {
        return new CaffeineCache(maxIds, time, ticker);
    }

    @Override
    public Optional<Known> find(MessageId id) {
        @Nullable Entry entry = entries.getIfPresent(id);
        if (entry == null) {
            return Optional.empty();
        }
        long keptNanos = ticker.read() - entry.rememberedAt();
        return keptNanos < timeNanos
                ? Optional.of(new Known(entry.position(), entry.age().plusNanos(keptNanos)))
                : Optional.empty();
    }

    @Override
    public void remember(MessageId id, Known known) {
        long now = ticker.read();
        lastRemembered = now;
        entries.put(id, new Entry(known.position(), known.age(), now));
    }

    @Override
    public void forget(MessageId id) {
        entries.invalidate(id);
    }

    @Override
    public void clear() {
        entries.invalidateAll();
    }
}
