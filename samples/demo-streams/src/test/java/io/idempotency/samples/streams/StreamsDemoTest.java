package io.idempotency.samples.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo with few payments, each accident once. */
class StreamsDemoTest {

    private static final int PAYMENTS = 5_000;

    @TempDir
    private Path folder;

    private Verdict run(String variant, String guarantee, Accident... accidents) throws Exception {
        Settings settings = new Settings(PAYMENTS, variant, List.of(guarantee), List.of(accidents), 5, folder);
        Screen screen = new Screen();
        try (Cleanup cleanup = new Cleanup()) {
            List<Verdict> verdicts = StreamsDemo.verdicts(settings, cleanup, screen);
            assertThat(screen.problems()).isEmpty();
            return verdicts.get(0);
        }
    }

    @Test
    @Tag("rule-15.1")
    void forwardsEachPaymentOnceUnderExactlyOnce() throws Exception {
        Verdict verdict = run(LedgerTopology.LIBRARY, "exactly_once_v2", Accident.values());

        assertThat(verdict.isGood()).as(verdict.line()).isTrue();
        assertThat(verdict.outputs()).isEqualTo(PAYMENTS);
        assertThat(verdict.records()).isGreaterThan(PAYMENTS);
    }

    @Test
    @Tag("rule-15.2")
    void losesNothingAndForwardsNoCopyUnderAtLeastOnce() throws Exception {
        Verdict verdict = run(
                LedgerTopology.LIBRARY,
                "at_least_once",
                Accident.BEFORE_IT_FORWARDS,
                Accident.BEHIND_THE_OUTPUT,
                Accident.BEFORE_THE_COMMIT,
                Accident.FROZEN);

        assertThat(verdict.isGood()).as(verdict.line()).isTrue();
        assertThat(verdict.outputs()).isGreaterThanOrEqualTo(PAYMENTS);
    }

    /** So that the run above can fail: a store of ids alone loses the record whose id was remembered before its output was there. */
    @Test
    void findsThatAStoreOfIdsAloneLoses() throws Exception {
        Verdict verdict = run(
                LedgerTopology.HANDWRITTEN, "at_least_once", Accident.BEFORE_IT_FORWARDS, Accident.BEFORE_IT_FORWARDS);

        assertThat(verdict.lost()).as(verdict.line()).isPositive();
        assertThat(verdict.isGood()).isFalse();
    }

    @Test
    void theTableOfTheDocumentationHasEachAccident() throws IOException {
        String page = Files.readString(Path.of("../../docs/kafka-streams.md"));

        assertThat(Accident.values())
                .allSatisfy(accident -> assertThat(page).contains("\n| " + accident.text() + " | "));
    }
}
