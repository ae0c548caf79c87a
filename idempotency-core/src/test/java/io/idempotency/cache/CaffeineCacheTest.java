package io.idempotency.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.DuplicateCache.Known;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CaffeineCacheTest {

    private static final MessageId ID = new MessageId("billing", "a");
    private static final Position POSITION = new Position("orders", 3, 18272);

    private final AtomicLong nanos = new AtomicLong();
    private final CaffeineCache cache = CaffeineCache.of(100, Duration.ofMinutes(10), nanos::get);

    @Test
    void knowsNothingAtFirst() {
        assertThat(cache.find(ID)).isEmpty();
    }

    @Test
    void letsTheAgeGrowWithTheTimeInTheCache() {
        cache.remember(ID, new Known(POSITION, Duration.ofSeconds(5)));
        passTime(Duration.ofSeconds(7));

        assertThat(cache.find(ID)).contains(new Known(POSITION, Duration.ofSeconds(12)));
    }

    @Test
    void forgetsWhenTheTimeIsOver() {
        cache.remember(ID, new Known(POSITION, Duration.ZERO));
        passTime(Duration.ofMinutes(10));

        assertThat(cache.find(ID)).isEmpty();
    }

    @Test
    void doesNotKeepAnIdLongerBecauseItIsAskedFor() {
        cache.remember(ID, new Known(POSITION, Duration.ZERO));
        passTime(Duration.ofMinutes(9));
        assertThat(cache.find(ID)).isPresent();
        passTime(Duration.ofMinutes(1));

        assertThat(cache.find(ID)).isEmpty();
    }

    @Test
    void keepsAnIdForItsOwnTimeHoweverLongOthersStay() {
        cache.remember(ID, new Known(POSITION, Duration.ZERO));
        passTime(Duration.ofMinutes(6));
        MessageId later = new MessageId("billing", "b");
        cache.remember(later, new Known(POSITION, Duration.ZERO));
        passTime(Duration.ofMinutes(6));

        assertThat(cache.find(ID)).isEmpty();
        assertThat(cache.find(later)).contains(new Known(POSITION, Duration.ofMinutes(6)));
    }

    @Test
    void keepsIdsWithoutLimitOfTime() {
        CaffeineCache unlimited = CaffeineCache.of(100, Duration.ofSeconds(Long.MAX_VALUE), nanos::get);
        unlimited.remember(ID, new Known(POSITION, Duration.ZERO));
        passTime(Duration.ofDays(36_500));

        assertThat(unlimited.find(ID)).contains(new Known(POSITION, Duration.ofDays(36_500)));
    }

    @Test
    void tellsConsumersApart() {
        cache.remember(ID, new Known(POSITION, Duration.ZERO));

        assertThat(cache.find(new MessageId("shipping", "a"))).isEmpty();
    }

    @Test
    void forgetsOnRequest() {
        cache.remember(ID, new Known(POSITION, Duration.ZERO));
        cache.forget(ID);

        assertThat(cache.find(ID)).isEmpty();
    }

    private void passTime(Duration time) {
        nanos.addAndGet(time.toNanos());
    }
}
