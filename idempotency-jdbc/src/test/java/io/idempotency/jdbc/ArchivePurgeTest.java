package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.ArchiveFixture.Said;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The purge drops whole archives, with the same result as if the messages were still in segments. */
@Tag("rule-4.19")
class ArchivePurgeTest {

    private static final Duration INACCURACY = Duration.ofMillis(60);
    private static final Duration RETENTION = Duration.ofHours(1);

    /** What is left, and how far the horizon is. */
    private record Rest(Map<UUID, Kind> kinds, long horizonVersion, long horizonOffset, int forgotten) {}

    /** Two hours ago many messages, then some of today. */
    private static void write(ArchiveFixture journal) {
        journal.pass(Duration.ofHours(-2));
        journal.append(150);
        journal.pass(Duration.ofMinutes(140));
        journal.append(40);
    }

    private static Rest purged(ArchiveFixture journal) {
        int forgotten = 0;
        int batch = 1;
        JournalStore store = journal.store();
        while (batch > 0) {
            batch = store.purge(RETENTION, 20);
            forgotten += batch;
        }
        Map<UUID, Kind> kinds = new HashMap<>();
        journal.said().forEach((id, said) -> kinds.put(id, said.kind()));
        JournalHead head = journal.head();
        return new Rest(kinds, head.horizonVersion(), head.horizonOffset(), forgotten);
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    @Tag("rule-4.14")
    void forgetsWhatItWouldForgetOfSegments(TestDatabase database) {
        Rest ofSegments;
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            write(journal);
            journal.fillQuarantine();
            ofSegments = purged(journal);
        }
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            write(journal);
            journal.fillQuarantine();
            journal.upkeep(30).run(() -> true);
            assertThat(journal.archives()).hasSizeGreaterThan(2);

            Rest ofArchives = purged(journal);

            assertThat(ofArchives.kinds()).isEqualTo(ofSegments.kinds());
            assertThat(ofArchives.horizonVersion()).isEqualTo(ofSegments.horizonVersion());
            assertThat(ofArchives.horizonOffset()).isEqualTo(ofSegments.horizonOffset());
            // An archive does not count unproved messages, and each message once.
            assertThat(ofArchives.forgotten()).isBetween(1, ofSegments.forgotten());
            journal.upkeep(30).run(() -> true);
            journal.requireClean();
        }
    }

    @Test
    void leavesAnArchiveWhoseNewestMessageIsYoung() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            journal.pass(Duration.ofMinutes(-35));
            journal.append(10);
            journal.pass(Duration.ofMinutes(10));
            journal.append(60);
            journal.pass(Duration.ofMinutes(50));
            journal.append(20);
            journal.upkeep(100).run(() -> true);
            ArchiveHead first = journal.archives().get(0);
            long before = journal.head().at() - ArchiveFixture.RETENTION;
            assertThat(first.span().firstAt()).isLessThan(before);
            assertThat(first.span().lastAt()).isGreaterThan(before);

            assertThat(purged(journal).forgotten()).isZero();

            journal.requireHistory(INACCURACY);
            assertThat(journal.head().horizonVersion()).isZero();
        }
    }

    @Test
    void forgetsAJournalThatIsGoneUpToItsHead() {
        try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
            journal.pass(Duration.ofDays(-40));
            journal.append(100);
            journal.upkeep(30).run(() -> true);

            purged(journal);

            assertThat(journal.said()).isEmpty();
            assertThat(journal.head().horizonVersion()).isEqualTo(100);
            journal.upkeep(30).run(() -> true);
            journal.requireClean();
        }
    }

    /** A copy of the quarantined message stands in a later archive, as a forgotten one. */
    @Test
    @Tag("rule-4.14")
    void doesNotCarryWhatALaterArchiveForgets() {
        for (Kind later : new Kind[] {Kind.FORGOTTEN, Kind.QUARANTINED}) {
            try (ArchiveFixture journal = new ArchiveFixture(TestDatabase.H2)) {
                UUID id = UUID.randomUUID();
                journal.pass(Duration.ofHours(-2));
                journal.append(Kind.QUARANTINED, Map.of(1L, id));
                journal.fillQuarantine();
                journal.append(20);
                journal.pass(Duration.ofMinutes(130));
                journal.append(later, Map.of(1L, id));
                journal.append(40);
                journal.upkeep(10).run(() -> true);
                long version = journal.head().version();

                purged(journal);

                assertThat(journal.head().version()).as("nothing is carried").isEqualTo(version);
                assertThat(journal.said().get(id)).extracting(Said::kind).isEqualTo(later);
            }
        }
    }
}
