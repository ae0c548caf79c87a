package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Offsets that were reset behind the purge: the store cannot tell whether their messages were processed. */
@Tag("rule-8.10")
class RetentionGuardTest {

    private static final int PURGED = 10;

    /** Processes ten messages and lets the purge forget them; the eleventh is young. */
    static void forgetTen(Fixture fixture) {
        claim(fixture.store, fixture.inARow("m", PURGED));
        TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
        claim(fixture.store, List.of(fixture.at("m" + PURGED, PURGED)));
        try (Purger purger = Purger.of(fixture.store).batchSize(3).build()) {
            assertThat(purger.runOnce()).isGreaterThanOrEqualTo(PURGED);
        }
    }

    static List<Claim> claim(TableStore store, List<Delivery> deliveries) {
        List<Claim> claims = new ArrayList<>();
        ((JdbcTransactions) store.transactions()).inTransaction(() -> claims.addAll(store.claim(deliveries)));
        return claims;
    }

    static TableStore restarted(Fixture fixture, Unjudged unjudged) {
        return TableStore.builder(fixture.dataSource)
                .tablePrefix(Fixture.PREFIX)
                .unjudged(unjudged)
                .build();
    }

    @ParameterizedTest
    @EnumSource
    void refusesWhatMayHaveBeenProcessed(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            forgetTen(fixture);

            for (TableStore store : List.of(fixture.store, restarted(fixture, Unjudged.REFUSE))) {
                assertThatThrownBy(() -> claim(store, fixture.inARow("m", PURGED + 1)))
                        .isInstanceOf(IdempotencyException.class)
                        .hasMessageContaining(fixture.consumer + "/m0 at orders-0@0")
                        .hasMessageContaining("up to offset " + (PURGED - 1))
                        .hasMessageContaining("unjudged");
                assertThat(claim(store, List.of(fixture.at("m" + PURGED, PURGED))))
                        .extracting(Claim::status)
                        .containsExactly(Claim.Status.DUPLICATE);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void refusesToLeaseIt(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            forgetTen(fixture);

            assertThatThrownBy(() -> fixture.store.lease(fixture.inARow("m", PURGED), Duration.ofMinutes(1)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("up to offset " + (PURGED - 1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void processesItByChoice(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            forgetTen(fixture);

            assertThat(claim(restarted(fixture, Unjudged.PROCESS), fixture.inARow("m", PURGED)))
                    .allMatch(Claim::isGranted);
        }
    }

    @ParameterizedTest
    @EnumSource
    void skipsItByChoiceAndRemembersItAgain(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            forgetTen(fixture);
            TableStore skipping = restarted(fixture, Unjudged.SKIP);

            fixture.inARow("m", PURGED)
                    .forEach(each -> assertThat(claim(skipping, List.of(each)))
                            .allMatch(claim -> claim.status() == Claim.Status.DUPLICATE));

            assertThat(fixture.isProcessed("m0")).isTrue();
            assertThat(claim(skipping, List.of(fixture.at("new", PURGED + 1)))).allMatch(Claim::isGranted);
        }
    }

    @ParameterizedTest
    @EnumSource
    void skipsItByChoiceInsteadOfLeasingIt(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            forgetTen(fixture);
            TableStore skipping = restarted(fixture, Unjudged.SKIP);
            List<Delivery> all = List.of(fixture.at("m0", 0), fixture.at("m9", 9), fixture.at("new", PURGED + 1));

            assertThat(skipping.lease(all, Duration.ofMinutes(1)))
                    .extracting(Claim::status)
                    .containsExactly(Claim.Status.DUPLICATE, Claim.Status.DUPLICATE, Claim.Status.GRANTED);
        }
    }

    @Test
    void grantsWhatIsNewOrElsewhere() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            forgetTen(fixture);
            TableStore store = restarted(fixture, Unjudged.REFUSE);
            Delivery inAnotherPartition =
                    new Delivery(new MessageId(fixture.consumer, "m0"), new Position("orders", 1, 0));
            Delivery ofAnotherConsumer =
                    new Delivery(new MessageId(fixture.consumer + "-2", "m0"), new Position("orders", 0, 0));
            Delivery withoutPosition = new Delivery(new MessageId(fixture.consumer, "m1"), Position.UNKNOWN);

            assertThat(claim(
                            store,
                            List.of(
                                    fixture.at("new", PURGED + 1),
                                    inAnotherPartition,
                                    ofAnotherConsumer,
                                    withoutPosition)))
                    .allMatch(Claim::isGranted);
        }
    }

    /** It never was processed, so its offset says nothing. */
    @ParameterizedTest
    @EnumSource
    void grantsAMessageThatWasOnlyReleased(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            fixture.store.release(fixture.store.lease(List.of(fixture.at("m", 5)), Duration.ofMinutes(1)));
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            try (Purger purger = Purger.of(fixture.store).build()) {
                purger.runOnce();
            }

            assertThat(claim(restarted(fixture, Unjudged.REFUSE), List.of(fixture.at("m", 5))))
                    .allMatch(Claim::isGranted);
        }
    }

    /** Its offsets begin at 0, but its messages are new. */
    @Test
    void grantsTheMessagesOfATopicThatWasCreatedAgain() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            forgetTen(fixture);
            TableStore store = restarted(fixture, Unjudged.REFUSE);
            long now = System.currentTimeMillis();

            assertThat(claim(store, List.of(sent(fixture.at("again", 0), now)))).allMatch(Claim::isGranted);
            assertThat(claim(
                            store,
                            List.of(sent(
                                    fixture.at("lagging", 1),
                                    now - Duration.ofDays(2).toMillis()))))
                    .allMatch(Claim::isGranted);
            assertThatThrownBy(() -> claim(
                            store,
                            List.of(sent(
                                    fixture.at("m2", 2),
                                    now - Duration.ofDays(9).toMillis()))))
                    .isInstanceOf(IdempotencyException.class);
        }
    }

    private static Delivery sent(Delivery delivery, long timestamp) {
        return new Delivery(delivery.id(), delivery.position(), timestamp);
    }

    /** The consumer reads old messages again while the purge deletes them: a duplicate does not mean that the next message is new. */
    @Test
    void refusesWhatIsPurgedBetweenTwoClaims() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            claim(fixture.store, fixture.inARow("m", PURGED));
            TableStore store = restarted(fixture, Unjudged.REFUSE);
            assertThat(claim(store, List.of(fixture.at("m0", 0))))
                    .extracting(Claim::status)
                    .containsExactly(Claim.Status.DUPLICATE);
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            try (Purger purger = Purger.of(fixture.store).build()) {
                purger.runOnce();
            }

            assertThatThrownBy(() -> claim(store, List.of(fixture.at("m1", 1))))
                    .isInstanceOf(IdempotencyException.class);
        }
    }

    @Test
    void asksAboutAPartitionThatCameBack() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            TableStore away = restarted(fixture, Unjudged.REFUSE);
            claim(away, List.of(fixture.at("first", 0)));
            forgetTen(fixture);
            away.leave(fixture.consumer, "orders", 0);

            assertThatThrownBy(() -> claim(away, List.of(fixture.at("m5", 5))))
                    .isInstanceOf(IdempotencyException.class);
        }
    }

    /** It may have been paused, and another process may have gone on. */
    @Test
    void asksAboutAPartitionThatItHasNotClaimedFromForAMinute() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            AtomicLong nanos = new AtomicLong();
            TableStore paused = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .nanoTime(nanos::get)
                    .build();
            claim(paused, List.of(fixture.at("first", 0)));
            forgetTen(fixture);
            nanos.addAndGet(Duration.ofMinutes(1).toNanos());

            assertThatThrownBy(() -> claim(paused, List.of(fixture.at("m5", 5))))
                    .isInstanceOf(IdempotencyException.class);
        }
    }

    @Test
    void asksNothingOfAPartitionThatGoesForward() {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            CountedStatements counted = new CountedStatements(fixture.dataSource);
            TableStore store =
                    TableStore.builder(counted).tablePrefix(Fixture.PREFIX).build();
            claim(store, List.of(fixture.at("first", 0)));
            claim(store, List.of(fixture.at("second", 1)));

            counted.reset();
            IntStream.range(2, 12).forEach(i -> claim(store, List.of(fixture.at("m" + i, i))));

            assertThat(counted.statements()).noneMatch(sql -> sql.contains("horizon"));
            claim(store, List.of(fixture.at("behind", 3)));
            assertThat(counted.statements())
                    .filteredOn(sql -> sql.contains("horizon"))
                    .hasSize(1);
        }
    }

    @Test
    @Tag("rule-8.12")
    void saysWhereAPartitionStandsAndWhatToChoose() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            forgetTen(fixture);

            assertThatThrownBy(() -> claim(fixture.store, List.of(fixture.at("m3", 3), fixture.at("m4", 4))))
                    .isInstanceOfSatisfying(
                            StandStillException.class,
                            still -> assertThat(still.reason())
                                    .isEqualTo("offsets of orders-0 were set back to 3; nothing up to 9 is remembered"))
                    .hasMessageContaining("Set the offsets of the group behind 9")
                    .hasMessageContaining("idempotency.unjudged");
        }
    }

    @Test
    @Tag("rule-8.13")
    void knowsTheRetentionAfterAPurge() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            fixture.claimed("a");
            assertThat(fixture.store.remembers(fixture.consumer)).isEmpty();

            fixture.store.purge(Duration.ofDays(9), 1);
            fixture.store.purge(Duration.ofDays(3), 1);

            assertThat(fixture.store.remembers(fixture.consumer)).contains(Duration.ofDays(9));
        }
    }
}
