package io.idempotency.spring.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Ages of duplicates are counted by classes. */
class DuplicateAgesTest {

    private final DuplicateAges ages = new DuplicateAges();

    @Test
    void tellNothingWithoutDuplicates() {
        assertThat(ages.told()).isNull();
    }

    @Test
    void tellQuantilesThatAreAtMostAQuarterTooGreat() {
        LongStream.rangeClosed(1, 1000).mapToObj(Duration::ofSeconds).forEach(ages::count);

        Answers.Ages told = Objects.requireNonNull(ages.told());

        assertThat(told.p50()).isBetween(Duration.ofSeconds(500), Duration.ofSeconds(625));
        assertThat(told.p99()).isBetween(Duration.ofSeconds(990), Duration.ofSeconds(1000));
        assertThat(told.max()).isEqualTo(Duration.ofSeconds(1000));
    }

    @Test
    void takeAnyAge() {
        ages.count(Duration.ofSeconds(-1));
        ages.count(Duration.ZERO);
        ages.count(Duration.ofMillis(Long.MAX_VALUE));

        assertThat(ages.told()).isEqualTo(new Answers.Ages(Duration.ZERO, max(), max()));
    }

    private static Duration max() {
        return Duration.ofMillis(Long.MAX_VALUE);
    }
}
