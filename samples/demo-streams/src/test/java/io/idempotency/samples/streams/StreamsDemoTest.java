package io.idempotency.samples.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo with few payments, each accident once. */
class StreamsDemoTest {

    private static final int PAYMENTS = 5_000;

    @TempDir(cleanup = org.junit.jupiter.api.io.CleanupMode.NEVER)
    private Path folder;

    private List<Verdict> run(String variant, String... guarantees) throws Exception {
        Settings settings = new Settings(PAYMENTS, variant, List.of(guarantees), 1, 5, folder);
        Screen screen = new Screen();
        try (Cleanup cleanup = new Cleanup()) {
            List<Verdict> verdicts = StreamsDemo.verdicts(settings, cleanup, screen);
            assertThat(screen.problems()).isEmpty();
            return verdicts;
        }
    }

    @Test
    @Tag("rule-15.1")
    @Tag("rule-15.2")
    void forwardsEachPaymentOnceWhateverHappens() throws Exception {
        assertThat(run(LedgerTopology.LIBRARY, "exactly_once_v2", "at_least_once"))
                .allSatisfy(verdict -> {
                    assertThat(verdict.isGood()).as(verdict.line()).isTrue();
                    assertThat(verdict.unique()).isEqualTo(PAYMENTS);
                    assertThat(verdict.records()).isGreaterThan(PAYMENTS);
                });
    }

    /** So that the run above can fail: a store of ids alone loses the record whose id was remembered before its output was there. */
    @Test
    void findsThatAStoreOfIdsAloneLoses() throws Exception {
        assertThat(run(LedgerTopology.HANDWRITTEN, "at_least_once"))
                .singleElement()
                .satisfies(verdict -> {
                    assertThat(verdict.lost()).as(verdict.line()).isPositive();
                    assertThat(verdict.isGood()).isFalse();
                });
    }
}
