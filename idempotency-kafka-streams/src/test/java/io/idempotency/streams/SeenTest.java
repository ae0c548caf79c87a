package io.idempotency.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.IdempotencyException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SeenTest {

    private static final long NOW = 1_795_996_800_000L;

    @Test
    void isReadAsItWasWritten() {
        Random random = new Random(7);
        for (int i = 0; i < 100_000; i++) {
            Seen seen = new Seen(
                    random.nextInt(),
                    random.nextInt() >>> random.nextInt(32),
                    number(random),
                    number(random),
                    number(random),
                    random.nextInt() >>> random.nextInt(32));
            assertThat(Seen.of(seen.bytes())).isEqualTo(seen);
        }
        Seen extreme = new Seen(-1, -1, Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE);
        assertThat(Seen.of(extreme.bytes())).isEqualTo(extreme);
    }

    private static long number(Random random) {
        long number = random.nextLong() >>> random.nextInt(64);
        return random.nextBoolean() ? number : -number;
    }

    @Test
    void takesTwentyBytesForABillionRecords() {
        assertThat(new Seen(-77, 63, 1_000_000_000L, NOW, NOW + 4_000, 60).bytes())
                .hasSizeLessThanOrEqualTo(22);
    }

    @Test
    void refusesAnotherFormat() {
        assertThatThrownBy(() -> Seen.of(new byte[] {1, 0, 0, 0, 0}))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("format 1");
    }

    @Test
    void isAsOldAsTheClockSaysThatHasGoneOnLess() {
        Seen seen = new Seen(1, 0, 5, NOW, NOW, 1);

        assertThat(seen.age(NOW + 10, NOW + 20)).isEqualTo(10);
        assertThat(seen.age(NOW + 20, NOW + 10)).isEqualTo(10);
        assertThat(seen.age(NOW - 5, NOW + 10)).isZero();
    }
}
