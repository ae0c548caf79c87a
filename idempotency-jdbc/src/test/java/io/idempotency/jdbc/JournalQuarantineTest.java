package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Quarantined messages that the purge carries to the tip of their journal. */
@Tag("rule-4.14")
class JournalQuarantineTest {

    private static void quarantine(JournalFixture fixture, Delivery bad) {
        assertThat(claimed(fixture.one, bad)).containsExactly(Status.GRANTED);
        fixture.one.transactions().inTransaction(() -> {
            fixture.one.quarantine(Claim.granted(bad));
            quarantineOf(fixture)
                    .save(new QuarantinedMessage(
                            bad,
                            Payload.none(Payload.Origin.POSITION_ONLY),
                            new QuarantineFailure("some.Failure", "A", "text"),
                            1));
        });
    }

    private static JdbcQuarantine quarantineOf(JournalFixture fixture) {
        return JdbcQuarantine.on(fixture.counted).tablePrefix(JournalFixture.PREFIX);
    }

    private static void purge(JournalFixture fixture) {
        while (fixture.one.purge(Duration.ofDays(1), 100) > 0) {
            // Until nothing is old.
        }
    }

    private static void age(JournalFixture fixture, int days) {
        String back = "at_micros = at_micros - " + StoredTime.micros(Duration.ofDays(days));
        fixture.corrupt("segment", back);
        fixture.corrupt("journal", back);
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    void isKnownToProcessesThatHadReadTheJournalBefore(TestDatabase database) {
        try (JournalFixture fixture = new JournalFixture(database)) {
            quarantine(fixture, fixture.at("bad", 0, 1));
            assertThat(claimed(fixture.other, fixture.at("bad", 0, 1))).containsExactly(Status.QUARANTINED);
            age(fixture, 2);
            fixture.one.forgetWindows();
            assertThat(claimed(fixture.one, fixture.at("new", 0, 2))).containsExactly(Status.GRANTED);
            assertThat(claimed(fixture.other, fixture.at("newer", 0, 3))).containsExactly(Status.GRANTED);

            purge(fixture);

            assertThat(fixture.horizons()).containsExactly(2);
            for (JournalStore store : List.of(fixture.one, fixture.other, fixture.another())) {
                assertThat(claimed(store, fixture.at("bad", 0, 1), fixture.at("bad", 0, 4)))
                        .containsExactly(Status.QUARANTINED, Status.QUARANTINED);
                assertThat(claimed(store, fixture.at("bad", 0, 4), fixture.at("next-" + store.hashCode(), 0, 5)))
                        .containsExactly(Status.QUARANTINED, Status.GRANTED);
            }
        }
    }

    @Test
    void freesTheMemoryOfWhatThePurgeDeleted() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            quarantine(fixture, fixture.at("bad", 0, 1));
            age(fixture, 2);
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("new", 0, 2));
            assertThat(fixture.one.rememberedMessages()).isEqualTo(3);

            purge(fixture);

            assertThat(fixture.one.rememberedMessages()).isEqualTo(2);
            assertThat(claimed(fixture.one, fixture.at("bad", 0, 1))).containsExactly(Status.QUARANTINED);
        }
    }

    @Test
    void doesNotMakeAConsumerThatStandsStillOlder() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            quarantine(fixture, fixture.at("bad", 0, 1));
            age(fixture, 2);
            fixture.one.forgetWindows();
            claimed(fixture.one, fixture.at("last", 0, 2));
            age(fixture, 20);
            fixture.one.forgetWindows();

            purge(fixture);

            assertThat(claimed(fixture.one, fixture.at("bad", 0, 1), fixture.at("last", 0, 2)))
                    .containsExactly(Status.QUARANTINED, Status.DUPLICATE);
        }
    }

    @Test
    void staysInTheJournalOfAPartitionThatIsGone() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            quarantine(fixture, fixture.at("bad", 0, 1));
            claimed(fixture.one, fixture.at("last", 0, 2));
            age(fixture, 40);
            fixture.one.forgetWindows();

            purge(fixture);

            assertThat(fixture.segments()).isEqualTo(1);
            assertThat(claimed(fixture.one, fixture.at("bad", 0, 1), fixture.at("bad", 0, 9)))
                    .containsExactly(Status.QUARANTINED, Status.QUARANTINED);
        }
    }

    /** The segments of a replay stand behind newer ones, although their offsets are older. */
    @Test
    @Tag("rule-4.7")
    void aReplayDoesNotHideTheOffsetsBeforeTheNextSegment() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            Delivery bad = fixture.at("bad", 0, 1);
            claimed(fixture.one, fixture.at("done", 0, 0));
            quarantine(fixture, bad);
            assertThat(claimed(fixture.one, fixture.at("done", 0, 2))).containsExactly(Status.DUPLICATE);
            age(fixture, 2);
            fixture.one.forgetWindows();
            fixture.one.transactions().inTransaction(() -> {
                fixture.one.unquarantine(bad);
                assertThat(fixture.one.claim(List.of(bad))).allMatch(Claim::isGranted);
                quarantineOf(fixture).delete(bad.id());
            });
            claimed(fixture.one, fixture.at("new", 0, 3));

            purge(fixture);

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("done", 0, 2)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("up to 2");
            assertThat(claimed(fixture.one, bad)).containsExactly(Status.DUPLICATE);
        }
    }
}
