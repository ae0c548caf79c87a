package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Records that nobody can judge, and that go on by choice: the log says so once each time a partition is set back. */
@Tag("rule-8.12")
class SetBackTest {

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REFUSE")
    void aTableWarnsOnce(Unjudged choice) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            RetentionGuardTest.forgetTen(fixture);
            TableStore store = RetentionGuardTest.restarted(fixture, choice);

            List<String> warnings = Warnings.of(TableStore.class, () -> {
                claim(fixture, store, 3);
                claim(fixture, store, 4);
            });

            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains(
                            "Offsets of orders-0 were set back to 3 for consumer " + fixture.consumer,
                            "nothing up to offset 9 is remembered",
                            choice.name());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REFUSE")
    void aTableWarnsAgainIfThePartitionIsSetBackOrAssignedAgain(Unjudged choice) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            RetentionGuardTest.forgetTen(fixture);
            TableStore store = RetentionGuardTest.restarted(fixture, choice);

            assertThat(Warnings.of(TableStore.class, () -> {
                        claim(fixture, store, 3);
                        claim(fixture, store, 20);
                        claim(fixture, store, 5);
                    }))
                    .hasSize(2);
            assertThat(Warnings.of(TableStore.class, () -> {
                        store.leave(fixture.consumer, "orders", 0);
                        claim(fixture, store, 6);
                    }))
                    .hasSize(1);
        }
    }

    private static void claim(Fixture fixture, TableStore store, long offset) {
        RetentionGuardTest.claim(store, List.of(fixture.at("m" + offset, offset)));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REFUSE")
    void aJournalWarnsOnce(Unjudged choice) {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.unjudged(choice))) {
            JournalRulesTest.forget(fixture, fixture.at("old", 0, 7));

            List<String> warnings = Warnings.of(JournalStore.class, () -> {
                claimed(fixture.one, fixture.at("m5", 0, 5));
                claimed(fixture.one, fixture.at("m6", 0, 6));
            });

            assertThat(warnings)
                    .singleElement()
                    .asString()
                    .contains(
                            "Offsets of orders-0 were set back to 5 for consumer "
                                    + fixture.at("m5", 0, 5).id().consumer(),
                            "nothing up to offset 7 is remembered",
                            choice.name());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REFUSE")
    void aJournalWarnsAgainIfThePartitionIsSetBackOrAssignedAgain(Unjudged choice) {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2, settings -> settings.unjudged(choice))) {
            JournalRulesTest.forget(fixture, fixture.at("old", 0, 7));

            assertThat(Warnings.of(JournalStore.class, () -> {
                        claimed(fixture.one, fixture.at("m4", 0, 4));
                        claimed(fixture.one, fixture.at("m20", 0, 20));
                        claimed(fixture.one, fixture.at("m5", 0, 5));
                    }))
                    .hasSize(2);
            assertThat(Warnings.of(JournalStore.class, () -> {
                        fixture.one.leave(fixture.at("m5", 0, 5).id().consumer(), "orders", 0);
                        claimed(fixture.one, fixture.at("m6", 0, 6));
                    }))
                    .hasSize(1);
        }
    }
}
