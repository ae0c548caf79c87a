package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.StandStillException;
import io.idempotency.store.UnjudgedStatistics;
import io.idempotency.store.UnjudgedStatistics.Action;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stores count the deliveries that they cannot judge, by what they do with them. */
class UnjudgedStatisticsTest {

    private static void assertCounts(UnjudgedStatistics store, String consumer, Unjudged choice, long expected) {
        Action done = switch (choice) {
            case REFUSE -> Action.REFUSED;
            case PROCESS -> Action.PROCESSED;
            case SKIP -> Action.SKIPPED;
        };
        assertThat(Stream.of(Action.values()))
                .allSatisfy(action ->
                        assertThat(store.unjudged(consumer, action)).isEqualTo(action == done ? expected : 0));
        assertThat(store.unjudged("another", done)).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void ofATable(Unjudged choice) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            RetentionGuardTest.forgetTen(fixture);
            TableStore store = RetentionGuardTest.restarted(fixture, choice);

            if (choice == Unjudged.REFUSE) {
                assertThatThrownBy(() -> RetentionGuardTest.claim(store, fixture.inARow("m", 3)))
                        .isInstanceOf(StandStillException.class);
            } else {
                RetentionGuardTest.claim(store, fixture.inARow("m", 3));
            }
            assertCounts(store, fixture.consumer, choice, choice == Unjudged.REFUSE ? 1 : 3);
            RetentionGuardTest.claim(store, List.of(fixture.at("new", 20)));
            assertCounts(store, fixture.consumer, choice, choice == Unjudged.REFUSE ? 1 : 3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofLeases(Unjudged choice) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            RetentionGuardTest.forgetTen(fixture);
            TableStore store = RetentionGuardTest.restarted(fixture, choice);

            if (choice == Unjudged.REFUSE) {
                assertThatThrownBy(() -> store.lease(fixture.inARow("m", 2), Duration.ofMinutes(1)))
                        .isInstanceOf(StandStillException.class);
            } else {
                store.lease(fixture.inARow("m", 2), Duration.ofMinutes(1));
            }
            assertCounts(store, fixture.consumer, choice, choice == Unjudged.REFUSE ? 1 : 2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofAJournal(Unjudged choice) {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.unjudged(choice))) {
            JournalRulesTest.forget(fixture, fixture.at("old", 0, 7));
            String consumer = fixture.at("m5", 0, 5).id().consumer();

            if (choice == Unjudged.REFUSE) {
                assertThatThrownBy(() -> claimed(fixture.one, fixture.at("m5", 0, 5), fixture.at("m6", 0, 6)))
                        .isInstanceOf(StandStillException.class);
            } else {
                claimed(fixture.one, fixture.at("m5", 0, 5), fixture.at("m6", 0, 6));
            }
            assertCounts(fixture.one, consumer, choice, choice == Unjudged.REFUSE ? 1 : 2);
        }
    }
}
