package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.ranges.Range;
import io.idempotency.store.IdempotencyException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JdbcRangesTest {

    private static Range range(String consumer, int partition, long... offsets) {
        return new Range(
                consumer,
                "orders",
                partition,
                UUID.randomUUID().toString(),
                offsets,
                Range.digest(List.of("a", "b" + partition)));
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-13.1")
    void keepsRangesOfATransactionThatCommitsUntilTheyAreDone(TestDatabase database) {
        try (HikariDataSource pool = database.pool(4)) {
            Migrated.once(pool, Fixture.PREFIX);
            JdbcRanges ranges = JdbcRanges.on(pool).tablePrefix(Fixture.PREFIX);
            JdbcTransactions transactions = JdbcTransactions.on(pool);
            String consumer = "c-" + UUID.randomUUID();
            Range consecutive = range(consumer, 0, 7, 8, 9);
            Range withGaps = range(consumer, 0, 1, 3, 5);
            Range sparse = range(consumer, 1, 4, 5_000_000_000L, 90_000_000_000L);

            transactions.inTransaction(() -> ranges.open(List.of(consecutive, withGaps, sparse)));
            Assertions.assertThatThrownBy(() -> transactions.inTransaction(() -> {
                        ranges.open(List.of(range(consumer, 2, 1)));
                        throw new IllegalStateException("as planned");
                    }))
                    .hasMessage("as planned");
            Assertions.assertThatThrownBy(() -> ranges.open(List.of(consecutive)))
                    .isInstanceOf(IdempotencyException.class);

            List<Range> open = ranges.open(consumer);
            assertThat(open)
                    .extracting(Range::token)
                    .containsExactly(withGaps.token(), consecutive.token(), sparse.token());
            assertThat(open.get(0).offsets()).containsExactly(1, 3, 5);
            assertThat(open.get(1).offsets()).containsExactly(7, 8, 9);
            assertThat(open.get(2).offsets()).containsExactly(4, 5_000_000_000L, 90_000_000_000L);
            assertThat(open.get(2).digest()).isEqualTo(sparse.digest());
            assertThat(open.get(2).stream()).isEqualTo("orders");

            ranges.done(consecutive);
            ranges.done(consecutive);
            assertThat(ranges.open(consumer))
                    .extracting(Range::token)
                    .containsExactly(withGaps.token(), sparse.token());
        }
    }

    /** One that has recorded a range and not committed yet keeps nobody from reading. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-13.3")
    void readsPastATransactionThatHasNotEnded(TestDatabase database) throws InterruptedException {
        try (HikariDataSource pool = database.pool(4)) {
            Migrated.once(pool, Fixture.PREFIX);
            JdbcRanges ranges = JdbcRanges.on(pool).tablePrefix(Fixture.PREFIX);
            String consumer = "c-" + UUID.randomUUID();
            JdbcTransactions transactions = JdbcTransactions.on(pool);
            transactions.inTransaction(() -> ranges.open(List.of(range(consumer, 0, 1))));
            List<Range> read = new CopyOnWriteArrayList<>();
            transactions.inTransaction(() -> {
                ranges.open(List.of(range(consumer, 1, 1)));
                Thread other = new Thread(() -> read.addAll(ranges.open(consumer)));
                other.start();
                try {
                    other.join();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(read).hasSize(1);
        }
    }
}
