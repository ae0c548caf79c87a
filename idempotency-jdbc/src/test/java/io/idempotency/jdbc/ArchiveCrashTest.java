package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A process dies at each step of its work on archives. */
@Tag("rule-4.17")
class ArchiveCrashTest {

    private static final Duration INACCURACY = Duration.ofMillis(60);

    /** The other node waits until the dead one has given no sign for ten minutes. */
    private static final String LET_TEN_MINUTES_PASS =
            "update " + ArchiveFixture.PREFIX + "archive set renewed_micros = renewed_micros - 700000000";

    @ParameterizedTest
    @CsvSource({"POSTGRESQL, 11", "MARIADB, 11", "H2, 1"})
    void leavesAJournalThatSaysTheSameAndAnotherNodeEndsTheWork(TestDatabase database, int stride) {
        try (ArchiveFixture journal = new ArchiveFixture(database)) {
            int deaths = 0;
            int survived = 0;
            for (int lastStep = 0; survived < 2; lastStep += stride) {
                journal.append(10);
                DyingProcess process = new DyingProcess(journal.pool, lastStep);
                work(process);
                deaths += process.isDead() ? 1 : 0;
                survived += process.isDead() ? 0 : 1;
                journal.requireHistory(INACCURACY);

                journal.upkeep(12).run(() -> true);
                journal.requireHistory(INACCURACY);
                journal.jdbc.update(LET_TEN_MINUTES_PASS);
                journal.upkeep(12).run(() -> true);
                journal.requireHistory(INACCURACY);
                journal.requireClean();
                assertThat(journal.count("segment")).isLessThanOrEqualTo(24);
            }
            assertThat(deaths * stride).as("steps of a build and a merge").isGreaterThan(60);
        }
    }

    private static void work(DyingProcess process) {
        try {
            ArchiveFixture.upkeep(process, 12).run(() -> true);
        } catch (RuntimeException e) {
            assertThat(process.isDead()).as("%s", e).isTrue();
        }
    }
}
