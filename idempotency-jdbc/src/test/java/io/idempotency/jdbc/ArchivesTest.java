package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.ArchiveFixture.Said;
import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A journal says the same before and after its messages move into archives. */
class ArchivesTest {

    /** Half a step of the greatest archive, a quarter of an hour, for each of a few merges. */
    private static final Duration INACCURACY = Duration.ofMillis(60);

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.16")
    void sayWhatTheSegmentsSaid(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            for (int round = 0; round < 12; round++) {
                journal.append(60);
                JournalHead before = journal.head();

                journal.upkeep(50).run(() -> true);

                journal.requireHistory(INACCURACY);
                journal.requireClean();
                JournalHead after = journal.head();
                assertThat(after.tip()).isEqualTo(before.tip());
                assertThat(after.horizonVersion()).isZero();
                assertThat(after.archivedVersion()).isGreaterThan(before.archivedVersion());
                assertThat(journal.archives()).hasSizeBetween(1, ArchiveUpkeep.MOST_ARCHIVES);
            }
            assertThat(journal.archives().stream().map(ArchiveHead::seed).distinct())
                    .as("archives have one order")
                    .hasSize(1);
            assertThat(journal.archives().get(0).span().firstVersion()).isEqualTo(1);
            for (int i = 1; i < journal.archives().size(); i++) {
                assertThat(journal.archives().get(i).span().firstVersion())
                        .isEqualTo(journal.archives().get(i - 1).span().lastVersion() + 1);
            }
        }
    }

    @Test
    void areAsSmallAsIsAsked() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            journal.append(120);

            journal.upkeep(1).run(() -> true);

            journal.requireHistory(INACCURACY);
            journal.requireClean();
            assertThat(journal.count("segment")).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void areNotBuiltOfFewMessages() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            journal.append(30);

            journal.upkeep(1_000).run(() -> true);
            journal.upkeep(0).run(() -> true);

            assertThat(journal.head().archivedVersion()).isZero();
            assertThat(journal.count("archive")).isZero();
        }
    }

    @Test
    void areBuiltWhenEnoughMessagesHaveCome() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            ArchiveUpkeep upkeep = journal.upkeep(200);
            for (int run = 0; run < 20; run++) {
                journal.append(10);
                int messages = messagesInSegments(journal);
                upkeep.run(() -> true);

                int left = messagesInSegments(journal);
                assertThat(left).isBetween(messages > 400 ? 200 : messages, Math.min(messages, 400));
            }
            assertThat(journal.head().archivedVersion()).isPositive();
        }
    }

    @Test
    void spanNoMoreThanAQuarterOfTheRetention() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            for (int i = 0; i < 60; i++) {
                journal.append(2);
                journal.pass(Duration.ofMinutes(2));
            }

            journal.upkeep(20).run(() -> true);

            journal.requireHistory(INACCURACY);
            assertThat(journal.archives()).hasSizeGreaterThan(ArchiveUpkeep.MOST_ARCHIVES);
            assertThat(journal.archives())
                    .allSatisfy(archive -> assertThat(
                                    archive.span().lastAt() - archive.span().firstAt())
                            .isLessThanOrEqualTo(ArchiveFixture.RETENTION / 4));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.16")
    void keepAForgottenEntryForOlderOnesAndForTheHorizon(TestDatabase database) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            UUID twice = UUID.randomUUID();
            journal.append(Kind.PROCESSED, Map.of(1L, twice));
            journal.append(20);
            journal.upkeep(5).run(() -> true);
            journal.append(Kind.FORGOTTEN, Map.of(1L, twice));
            journal.append(20);
            journal.upkeep(5).run(() -> true);

            assertThat(journal.said())
                    .hasEntrySatisfying(twice, said -> assertThat(said.kind()).isEqualTo(Kind.FORGOTTEN));
            for (int i = 0; i < 5; i++) {
                journal.append(20);
                journal.upkeep(5).run(() -> true);
            }
            assertThat(journal.said())
                    .hasEntrySatisfying(twice, said -> assertThat(said.kind()).isEqualTo(Kind.FORGOTTEN));
        }
    }

    @Test
    void endWithoutRemainsIfTheNodeIsClosed() {
        for (int steps = 0; steps < 12; steps++) {
            try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
                journal.append(60);
                AtomicInteger left = new AtomicInteger(steps);

                journal.upkeep(20).run(() -> left.getAndDecrement() > 0);

                journal.requireHistory(INACCURACY);
                assertThat(journal.count("archive where state = 0")).isZero();
                journal.upkeep(20).run(() -> true);
                journal.requireHistory(INACCURACY);
                journal.requireClean();
            }
        }
    }

    @Test
    void areNotBuiltOfUnprovedMessagesOnly() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            for (long i = 0; i < 6; i++) {
                journal.append(Kind.UNPROVED, Map.of(i, UUID.randomUUID()));
            }
            journal.append(10);

            journal.upkeep(3).run(() -> true);

            journal.requireHistory(INACCURACY);
            journal.requireClean();
        }
    }

    @Test
    void haveRightTimesAfterAClockWasAhead() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            journal.append(20);
            journal.pass(Duration.ofDays(1));
            journal.append(40);
            journal.upkeep(10).run(() -> true);
            Map<UUID, Said> before = new HashMap<>(journal.said());

            journal.store().purge(Duration.ofHours(1), 1000);

            long now = journal.head().at();
            assertThat(journal.archives())
                    .allSatisfy(archive -> assertThat(archive.span().lastAt()).isLessThanOrEqualTo(now));
            Map<UUID, Said> after = journal.said();
            assertThat(after.keySet()).isEqualTo(before.keySet());
            journal.upkeep(5).run(() -> true);
            assertThat(journal.said().keySet()).isEqualTo(before.keySet());
        }
    }

    private static int messagesInSegments(ArchiveFixture journal) {
        JournalHead head = journal.head();
        Range range = new Range(head.key(), head.goneVersion() + 1, head.version());
        return journal.read((connection, journals) -> {
            int[] messages = new int[1];
            journals.read(connection, range, false, segment -> messages[0] += segment.offsets().length);
            return messages[0];
        });
    }
}
