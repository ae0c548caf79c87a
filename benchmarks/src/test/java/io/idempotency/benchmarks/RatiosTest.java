package io.idempotency.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.idempotency.benchmarks.Ratios.Latency;
import io.idempotency.benchmarks.Ratios.LatencyRatio;
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
    void saysHowMuchLatencyIsAdded() {
        paced("bare-poll", 1_000, 2_000);
        paced("handwritten", 1_200, 2_400);
        paced("journal-poll", 1_100, 2_100);

        assertThat(new Ratios(measurements).information())
                .containsEntry("latency-added-by-journal-poll", new Latency(100, 100))
                .containsEntry("latency-added-by-journal-poll-vs-handwritten", new LatencyRatio(0.5, 0.25));
    }

    private void measured(String scenario, String contestant, double... rates) {
        List<Outcome> outcomes = DoubleStream.of(rates)
                .mapToObj(rate -> Outcome.of((long) rate, 1, 0))
                .toList();
        measurements.add(Measurement.of(scenario, contestant, outcomes));
    }

    private void paced(String contestant, double p50, double p99) {
        measurements.add(
                Measurement.of(Scenarios.PACED, contestant, List.of(new Outcome(1_000, 1_000, 10, p50, p99, 0))));
    }
}
