package io.idempotency.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

final class RatiosTest {

    private final List<Measurement> measurements = new ArrayList<>();

    @Test
    void dividesTheMediansOfTheRuns() {
        measured(Scenarios.BASE, "journal-batch", 80, 90, 5_000);
        measured(Scenarios.BASE, "bare-batch", 1, 100, 101);

        assertThat(new Ratios(measurements).all()).containsExactly(entry("batch-journal-vs-bare", 0.9));
    }

    @Test
    void leavesOutWhatWasNotMeasured() {
        measured(Scenarios.BASE, "journal-batch", 80);

        assertThat(new Ratios(measurements).all()).isEmpty();
        assertThat(new Ratios(measurements).sizes(List.of())).isEmpty();
        assertThat(new Ratios(measurements).information()).isEmpty();
    }

    @Test
    void comparesTheBetterStoreWithTheBestPeer() {
        measured(Scenarios.BASE, "table-poll", 900);
        measured(Scenarios.BASE, "journal-poll", 1_000);
        measured(Scenarios.BASE, "handwritten", 200);
        measured(Scenarios.BASE, "camel", 100);
        measured(Scenarios.BASE, "spring-integration", 150);
        measured(Scenarios.BASE, "eventuate-tram", 250);

        assertThat(new Ratios(measurements).all()).containsOnly(entry("record-poll-vs-best-peer", 4.0));
    }

    @Test
    void hasNoBestPeerUnlessAllWereMeasured() {
        measured(Scenarios.BASE, "table-poll", 900);
        measured(Scenarios.BASE, "handwritten", 200);

        assertThat(new Ratios(measurements).all()).isEmpty();
    }

    @Test
    void comparesTheStarterWithListenersWithoutTheLibrary() {
        measured(Scenarios.BASE, "spring-bare-batch", 1_000);
        measured(Scenarios.BASE, "spring-handwritten", 20);
        measured(Scenarios.BASE, "starter-table-record", 21);
        measured(Scenarios.BASE, "starter-journal-batch", 850);
        measured(Scenarios.BASE, "starter-table-batch", 350);
        measured(Scenarios.BASE, "starter-table-poll", 80);
        measured(Scenarios.BASE, "starter-journal-poll", 100);

        assertThat(new Ratios(measurements).all())
                .containsOnly(
                        entry("starter-record-table-vs-handwritten", 1.05),
                        entry("starter-batch-journal-vs-bare", 0.85),
                        entry("starter-batch-table-vs-bare", 0.35),
                        entry("starter-poll-vs-handwritten", 5.0));
    }

    @Test
    void comparesTheStarterWithMetersWithTheOneWithout() {
        measured(Scenarios.METERS, "starter-journal-batch", 100);
        measured(Scenarios.METERS, "metered-journal-batch", 98);

        assertThat(new Ratios(measurements).all()).containsOnly(entry("meters-journal-batch-vs-without", 0.98));
    }

    @Test
    void comparesFilledTablesWithEmptyOnes() {
        measured(Scenarios.STORED_50M, "table-batch", 70);
        measured(Scenarios.STORED_50M, "table-batch" + Scenarios.EMPTY, 100);
        measured(Scenarios.PURGING, "table-batch", 80);
        measured(Scenarios.PURGING, "table-batch" + Scenarios.QUIET, 100);

        assertThat(new Ratios(measurements).all())
                .containsOnly(entry("table-50m-vs-empty", 0.7), entry("purge-vs-quiet", 0.8));
    }

    @Test
    void comparesJournalsWithArchives() {
        measured("archived-100m", "journal-batch", 95);
        measured("archived-100m", "journal-batch" + Scenarios.EMPTY, 100);
        measured("archived-1b", "journal-batch", 90);
        measured("archived-1b", "journal-batch" + Scenarios.EMPTY, 100);
        measured("archived-warm-up-100m", "journal-warm-up", 70);
        measured("archived-warm-up-100m", "journal-plain-read", 100);
        measured(ArchiveScenarios.MERGING, "journal-batch", 80);
        measured(ArchiveScenarios.MERGING, "journal-batch" + Scenarios.QUIET, 100);
        measured(ArchiveScenarios.PURGING, "journal-batch", 60);
        measured(ArchiveScenarios.PURGING, "journal-batch" + Scenarios.QUIET, 100);

        assertThat(new Ratios(measurements).all())
                .containsExactly(
                        entry("warmup-vs-plain-read", 0.7),
                        entry("journal-100m-vs-empty", 0.95),
                        entry("journal-1b-vs-empty", 0.9),
                        entry("merge-vs-quiet", 0.8),
                        entry("journal-purge-vs-quiet", 0.6));
        assertThat(new Ratios(measurements).information()).containsExactly(entry("warmup-100m-seconds", 1.0));
    }

    @Test
    void countsTheBytesOfAnArchivedMessage() {
        Space space = new Space(Spaces.ARCHIVES, 1_000, 22_000, 1_000, 40_000);
        measurements.add(Measurement.of(
                "archived-warm-up-1b", "journal-warm-up", List.of(Outcome.of(100_000_000, 2, 230_000_000))));

        assertThat(new Ratios(measurements).sizes(List.of(space)))
                .containsEntry("archive-bytes-per-message", 23.0)
                .containsEntry("archive-memory-bytes-per-message", 2.3);
    }

    @Test
    void namesTheNumberOfIds() {
        assertThat(ArchiveScenarios.size(20_000_000)).isEqualTo("20m");
        assertThat(ArchiveScenarios.size(2_000_000_000)).isEqualTo("2b");
    }

    @Test
    void countsTheBytesOfAMessage() {
        Space space = new Space("journal-batch", 1_000, 18_000, 1_000, 40_000);
        Outcome warm = Outcome.of(10_000_000, 2, 250_000_000);
        measurements.add(Measurement.of(Scenarios.WARM_UP, "journal-warm-up", List.of(warm)));

        assertThat(new Ratios(measurements).sizes(List.of(space)))
                .containsExactly(
                        entry("journal-bytes-per-message", 19.0),
                        entry("wal-bytes-per-message", Map.of("journal-batch", 40.0)),
                        entry("window-mb-per-million-ids", 25.0));
    }

    @Test
    void comparesTheLatenciesOfEachRun() {
        paced("bare-poll", 1_000, 2_000, 1_500);
        paced("journal-poll", 1_100, 2_300, 1_700);

        assertThat(new Ratios(measurements).information())
                .containsExactly(entry("latency-added-by-journal-poll", new Latency(200, 100, 300, 400, 200, 600)));
    }

    private void measured(String scenario, String contestant, double... rates) {
        List<Outcome> outcomes = DoubleStream.of(rates)
                .mapToObj(rate -> Outcome.of((long) rate, 1, 0))
                .toList();
        measurements.add(Measurement.of(scenario, contestant, outcomes));
    }

    /** The 99th percentile is twice the median. */
    private void paced(String contestant, double... p50) {
        List<Outcome> outcomes = DoubleStream.of(p50)
                .mapToObj(time -> new Outcome(1_000, 1_000, 10, time, 2 * time, 0))
                .toList();
        measurements.add(Measurement.of(Scenarios.PACED, contestant, outcomes));
    }
}
