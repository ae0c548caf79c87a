package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.StoredId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A statement processes its messages in the order of their keys. While it waits for one, it holds no later one. */
@Tag("rule-3.3")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KeyOrderTest {

    private final String tail = UUID.randomUUID().toString().substring(24);
    private final String first = "00000000-0000-4000-8000-" + tail;
    private final String last = "ffffffff-ffff-4fff-bfff-" + tail;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "HSQLDB")
    void holdsNothingBehindANewMessageThatItWaitsFor(TestDatabase database) throws Exception {
        try (Fixture fixture = Fixture.on(database)) {
            fixture.claimed("names-" + tail);

            assertHoldsNothingBehindTheFirst(fixture, database, () -> fixture.claim(first));
        }
    }

    /** H2 tries for such a message again and again, and holds nothing in between. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void holdsNothingBehindAReleasedMessageThatItWaitsFor(TestDatabase database) throws Exception {
        try (Fixture fixture = Fixture.on(database)) {
            List<Delivery> both = List.of(fixture.at(first, 1), fixture.at(last, 2));
            fixture.store.release(fixture.store.lease(both, Duration.ofMinutes(1)));

            assertHoldsNothingBehindTheFirst(fixture, database, () -> lockFirst(fixture, database));
        }
    }

    private void lockFirst(Fixture fixture, TestDatabase database) {
        UUID key = UUID.fromString(first);
        Integer consumer = fixture.jdbc.queryForObject(
                "select id from rules_name where name = ?", Integer.class, fixture.consumer);
        fixture.jdbc.queryForList(
                "select place from rules_message where consumer = ? and message_id = ? for update",
                consumer,
                database == TestDatabase.MARIADB ? StoredId.toBytes(key) : key);
    }

    private void assertHoldsNothingBehindTheFirst(Fixture fixture, TestDatabase database, Runnable hold)
            throws Exception {
        TableStore patient = TableStore.builder(fixture.dataSource)
                .tablePrefix(Fixture.PREFIX)
                .claimTimeout(Duration.ofSeconds(30))
                .build();
        List<CompletableFuture<Void>> waiting = new ArrayList<>();

        fixture.transactions.inTransaction(() -> {
            hold.run();
            waiting.add(CompletableFuture.runAsync(() -> patient.transactions()
                    .inTransaction(() -> patient.claim(List.of(fixture.at(last, 4), fixture.at(first, 3))))));
            await().until(database::isSomebodyWaiting);
            Claim bystander =
                    CompletableFuture.supplyAsync(() -> fixture.claimed(last)).join();
            assertThat(bystander.isGranted()).isTrue();
        });

        assertThat(waiting.get(0)
                        .handle((done, failure) ->
                                failure == null || patient.transactions().isTransient(failure))
                        .get(30, TimeUnit.SECONDS))
                .isTrue();
    }
}
