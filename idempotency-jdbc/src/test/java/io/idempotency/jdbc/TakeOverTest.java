package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two want a message that was released: the rival comes when the first has seen that and has not written yet. */
@Tag("rule-3.1")
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TakeOverTest {

    private static final String WRITE = "update " + Fixture.PREFIX + "message";
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final String tail = UUID.randomUUID().toString().substring(24);
    private final String processed = "00000000-0000-4000-8000-" + tail;
    private final String released = "ffffffff-ffff-4fff-bfff-" + tail;

    private final List<Claim> claims = new ArrayList<>();
    private final List<CompletableFuture<List<Claim>>> rivals = new ArrayList<>();

    @ParameterizedTest
    @EnumSource
    void leasesAReleasedMessageToOneOfTwo(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            TableStore store = prepared(fixture, database, () -> fixture.store.lease(deliveries(fixture), MINUTE));

            attempt(store, () -> claims.addAll(store.lease(deliveries(fixture), MINUTE)));

            assertGrantedToOne(store);
        }
    }

    @ParameterizedTest
    @EnumSource
    void grantsAReleasedMessageToOneOfTwoClaims(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            TableStore store = prepared(fixture, database, () -> claimed(fixture));

            attempt(
                    store,
                    () -> store.transactions().inTransaction(() -> claims.addAll(store.claim(deliveries(fixture)))));

            assertGrantedToOne(store);
        }
    }

    @ParameterizedTest
    @EnumSource
    void grantsAReleasedMessageToAClaimOrALease(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            TableStore store = prepared(fixture, database, () -> claimed(fixture));

            attempt(store, () -> claims.addAll(store.lease(deliveries(fixture), MINUTE)));

            assertGrantedToOne(store);
        }
    }

    /** The processed message comes first, because a failed insert may hold the first row that it met. */
    private List<Delivery> deliveries(Fixture fixture) {
        return List.of(fixture.at(processed, 1), fixture.at(released, 2));
    }

    private List<Claim> claimed(Fixture fixture) {
        List<Claim> answers = new ArrayList<>();
        fixture.transactions.inTransaction(() -> answers.addAll(fixture.store.claim(deliveries(fixture))));
        return answers;
    }

    /** Returns a store to which the rival's turn comes just before it writes. */
    private TableStore prepared(Fixture fixture, TestDatabase database, Supplier<List<Claim>> rival) {
        fixture.claimed(processed);
        fixture.store.release(fixture.store.lease(List.of(fixture.at(released, 2)), MINUTE));
        Meanwhile meanwhile = new Meanwhile(fixture.dataSource);
        meanwhile.before(WRITE, connection -> {
            CompletableFuture<List<Claim>> turn = CompletableFuture.supplyAsync(rival);
            rivals.add(turn);
            await().until(() -> turn.isDone() || database.isSomebodyWaiting());
        });
        return TableStore.builder(meanwhile).tablePrefix(Fixture.PREFIX).build();
    }

    /** Who comes second may be told to run again. */
    private static void attempt(TableStore store, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            assertThat(e).matches(store.transactions()::isTransient, "is transient");
        }
    }

    private void assertGrantedToOne(TableStore store) {
        assertThat(rivals).as("the rival had its turn").hasSize(1);
        attempt(store, () -> claims.addAll(rivals.get(0).join()));
        assertThat(claims)
                .filteredOn(claim -> claim.delivery().id().value().equals(released))
                .filteredOn(Claim::isGranted)
                .hasSize(1);
    }
}
