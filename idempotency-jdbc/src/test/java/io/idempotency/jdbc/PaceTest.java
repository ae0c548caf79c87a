package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Work in the background leaves half of the time to others. */
class PaceTest {

    private static final long WORK_NANOS = Duration.ofMillis(20).toNanos();

    @Test
    void restsAsLongAsItWorked() {
        Pace pace = new Pace();
        for (int i = 0; i < 3; i++) {
            long began = System.nanoTime();
            while (System.nanoTime() - began < WORK_NANOS) {
                Thread.onSpinWait();
            }
            pace.rest();
            assertThat(System.nanoTime() - began).isGreaterThan(WORK_NANOS * 3 / 2);
        }
    }

    @Test
    void doesNotRestIfItsThreadIsInterrupted() {
        Pace pace = new Pace();
        Thread.currentThread().interrupt();
        pace.rest();
        assertThat(Thread.interrupted()).isTrue();
    }
}
