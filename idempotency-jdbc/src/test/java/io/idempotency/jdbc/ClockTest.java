package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Time is the database's, read after waiting, kept as UTC. */
@Tag("rule-3.7")
class ClockTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final String id = "m-" + UUID.randomUUID();

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void countsALeaseFromAfterItsWait(TestDatabase database) throws Exception {
        try (Fixture fixture = Fixture.on(database)) {
            fixture.claimed(id + "-names");
            CountDownLatch claimed = new CountDownLatch(1);
            CountDownLatch end = new CountDownLatch(1);
            CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
                try {
                    fixture.transactions.inTransaction(() -> {
                        fixture.claim(id);
                        claimed.countDown();
                        await(end);
                        throw new IllegalStateException("rolled back");
                    });
                } catch (IllegalStateException e) {
                    // That is how it ends.
                }
            });
            await(claimed);
            // Ends after a part of the claim timeout; the lease is shorter than that wait.
            CompletableFuture.delayedExecutor(600, TimeUnit.MILLISECONDS).execute(end::countDown);

            Claim lease = fixture.store
                    .lease(List.of(fixture.at(id, 1)), Duration.ofMillis(500))
                    .get(0);
            Claim second = fixture.store
                    .lease(List.of(fixture.at(id, 1)), Duration.ofMillis(500))
                    .get(0);

            first.get(30, TimeUnit.SECONDS);
            assertThat(lease.isLease()).isTrue();
            assertThat(second.status()).isEqualTo(Claim.Status.IN_PROGRESS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void countsTheSameTimeInEveryTimeZone(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database);
                HikariDataSource pool =
                        database.pool(1, config -> config.setConnectionInitSql(fiveHoursEast(database)))) {
            TableStore east =
                    TableStore.builder(pool).tablePrefix(Fixture.PREFIX).build();
            List<Delivery> deliveries = List.of(fixture.at(id, 1));

            Claim lease = east.lease(deliveries, MINUTE).get(0);
            Claim seen = fixture.store.lease(deliveries, MINUTE).get(0);
            assertThat(seen.status()).isEqualTo(Claim.Status.IN_PROGRESS);
            assertThat(lease.until()).isEqualTo(seen.until()).isBetween(Instant.now(), ago(-2));

            east.complete(List.of(lease));
            fixture.store.purge(MINUTE, 1000);
            Processed processed = fixture.store.find(deliveries.get(0).id()).orElseThrow();
            assertThat(processed.at()).isBetween(ago(1), ago(-1));
            assertThat(processed.age()).isLessThan(MINUTE);

            east.purge(Duration.ofHours(1), 1000);
            assertThat(fixture.isProcessed(id)).isTrue();
        }
    }

    /** The transaction's own clock stands still. */
    @Test
    void readsTheClockWhenItClaimsAndNotWhenTheTransactionBegan() {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            fixture.transactions.inTransaction(() -> {
                Instant before = fixture.jdbc.queryForObject("select clock_timestamp()", Instant.class);
                fixture.claim(id);
                Processed processed = fixture.store.find(fixture.at(id, 1).id()).orElseThrow();
                assertThat(processed.at()).isAfterOrEqualTo(before);
            });
        }
    }

    private static Instant ago(int minutes) {
        return Instant.now().minus(MINUTE.multipliedBy(minutes));
    }

    private static String fiveHoursEast(TestDatabase database) {
        return switch (database) {
            case POSTGRESQL -> "set time zone 'Asia/Karachi'";
            case MARIADB -> "set time_zone = '+05:00'";
            case H2 -> "set time zone '+05:00'";
            case HSQLDB -> "set time zone interval '5:00' hour to minute";
        };
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
