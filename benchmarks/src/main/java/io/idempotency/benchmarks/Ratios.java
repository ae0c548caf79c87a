package io.idempotency.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * Computes the ratios and sizes of a run from its measurements alone. Figures without a measurement are omitted.
 *
 * <p>A ratio compares the medians of all runs.
 */
final class Ratios {

    private static final List<String> PEERS = List.of("handwritten", "camel", "spring-integration", "eventuate-tram");
    private static final String BATCH = "-batch";
    private static final String POLL = "-poll";
    private static final String WARM_UP = "journal-warm-up";
    private static final String PLAIN_READ = "journal-plain-read";

    private final List<Measurement> measurements;

    Ratios(List<Measurement> measurements) {
        this.measurements = measurements;
    }

    /** Writes all computed figures anew, from the measurements. Argument: the file with the results. */
    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[0]).toAbsolutePath();
        Json.MAPPER.readValue(file, Results.class).computed().write(file.resolveSibling("."));
    }

    /** Returns the ratios by their names. */
    Map<String, Double> all() {
        Map<String, Double> ratios = new LinkedHashMap<>();
        put(ratios, "batch-journal-vs-bare", base("journal-batch"), base("bare-batch"));
        put(ratios, "batch-table-vs-bare", base("table-batch"), base("bare-batch"));
        put(ratios, "record-journal-vs-bare", base("journal-poll"), base("bare-poll"));
        put(ratios, "record-table-vs-bare", base("table-poll"), base("bare-poll"));
        put(ratios, "record-poll-vs-best-peer", best("table-poll", "journal-poll"), bestPeer());
        put(ratios, "batch-vs-best-peer", best("table-batch", "journal-batch"), bestPeer());
        put(ratios, "record-table-vs-handwritten", base("table-record"), base("handwritten"));
        put(ratios, "record-journal-vs-handwritten", base("journal-record"), base("handwritten"));
        ratios.putAll(ofStarter());
        String copies = Scenarios.ALL_COPIES;
        put(ratios, "duplicates-vs-read", rate(copies, "table" + POLL), rate(copies, "read"));
        String table = "table" + BATCH;
        put(ratios, "table-50m-vs-empty", beside(Scenarios.STORED_50M, table, Scenarios.EMPTY));
        put(ratios, "purge-vs-quiet", beside(Scenarios.PURGING, table, Scenarios.QUIET));
        ratios.putAll(ofArchives());
        String shadow = Scenarios.SHADOW;
        put(ratios, "shadow-hanging-vs-bare", rate(shadow, "shadow-hanging-poll"), rate(shadow, "bare-poll"));
        put(ratios, "shadow-hanging-batch-vs-bare", rate(shadow, "shadow-hanging-batch"), rate(shadow, "bare-batch"));
        put(ratios, "shadow-table-vs-bare", rate(shadow, "shadow-table-poll"), rate(shadow, "bare-poll"));
        for (String contestant : List.of("journal-batch", "journal-poll", "table-record")) {
            put(
                    ratios,
                    "meters-" + contestant + "-vs-without",
                    rate(Scenarios.METERS, "metered-" + contestant),
                    rate(Scenarios.METERS, "starter-" + contestant));
        }
        return ratios;
    }

    /** Returns the ratios of journals with archives. */
    private Map<String, Double> ofArchives() {
        Map<String, Double> ratios = new LinkedHashMap<>();
        String journal = "journal" + BATCH;
        for (String scenario : scenarios(ArchiveScenarios.WARM_UP)) {
            put(ratios, "warmup-vs-plain-read", rate(scenario, WARM_UP), rate(scenario, PLAIN_READ));
        }
        for (String scenario : scenarios(ArchiveScenarios.STORED)) {
            String size = scenario.substring(ArchiveScenarios.STORED.length());
            put(ratios, "journal-" + size + "-vs-empty", beside(scenario, journal, Scenarios.EMPTY));
        }
        put(ratios, "merge-vs-quiet", beside(ArchiveScenarios.MERGING, journal, Scenarios.QUIET));
        put(ratios, "journal-purge-vs-quiet", beside(ArchiveScenarios.PURGING, journal, Scenarios.QUIET));
        return ratios;
    }

    /** Returns the scenarios with names of archives that begin so, and end with their size. */
    private List<String> scenarios(String begin) {
        return measurements.stream()
                .map(Measurement::scenario)
                .filter(name -> name.matches(begin + "\\d+[mb]"))
                .distinct()
                .toList();
    }

    /** Returns the ratios of listeners of the starter to listeners without this library, in the same application. */
    private Map<String, Double> ofStarter() {
        Map<String, Double> ratios = new LinkedHashMap<>();
        OptionalDouble bare = base("spring-bare-batch");
        OptionalDouble handWritten = base("spring-handwritten");
        put(ratios, "starter-record-table-vs-handwritten", base("starter-table-record"), handWritten);
        put(ratios, "starter-batch-journal-vs-bare", base("starter-journal-batch"), bare);
        put(ratios, "starter-batch-table-vs-bare", base("starter-table-batch"), bare);
        put(ratios, "starter-poll-vs-handwritten", best("starter-table-poll", "starter-journal-poll"), handWritten);
        return ratios;
    }

    /** Returns the sizes by their names. */
    Map<String, Object> sizes(List<Space> spaces) {
        Map<String, Object> sizes = new LinkedHashMap<>();
        for (String contestant : List.of("journal-batch", "table-batch", "handwritten")) {
            String name = contestant.replace(BATCH, "") + "-bytes-per-message";
            space(spaces, contestant).ifPresent(space -> sizes.put(name, space.bytesPerMessage()));
        }
        Map<String, Double> wal = new LinkedHashMap<>();
        spaces.forEach(space -> wal.put(space.contestant(), space.walBytesPerMessage()));
        if (!wal.isEmpty()) {
            sizes.put("wal-bytes-per-message", wal);
        }
        space(spaces, Spaces.ARCHIVES)
                .ifPresent(space -> sizes.put("archive-bytes-per-message", space.bytesPerMessage()));
        for (String scenario : scenarios(ArchiveScenarios.WARM_UP)) {
            memory(scenario).ifPresent(bytes -> sizes.put("archive-memory-bytes-per-message", bytes));
        }
        memory(Scenarios.WARM_UP).ifPresent(bytes -> sizes.put("window-mb-per-million-ids", bytes));
        return sizes;
    }

    /** Returns the bytes of memory for a message after a warm-up. */
    private Optional<Double> memory(String scenario) {
        return find(scenario, WARM_UP).map(warm -> warm.median(Outcome::memoryBytes) / warm.median(Outcome::messages));
    }

    /** Returns additional figures by their names. */
    Map<String, Object> information() {
        Map<String, Object> information = new LinkedHashMap<>();
        latencies().forEach(information::put);
        Map<String, Double> others = new LinkedHashMap<>();
        put(others, "bare-batch-async-vs-bare-batch", base("bare-batch-async"), base("bare-batch"));
        put(others, "journal-segments-purge-vs-quiet", beside(Scenarios.PURGING, "journal" + BATCH, Scenarios.QUIET));
        put(
                others,
                "segments-warmup-vs-plain-read",
                rate(Scenarios.WARM_UP, WARM_UP),
                rate(Scenarios.WARM_UP, PLAIN_READ));
        information.putAll(others);
        seconds(Scenarios.WARM_UP, WARM_UP)
                .ifPresent(seconds -> information.put("seconds-to-warm-10-million-ids", seconds));
        for (String scenario : scenarios(ArchiveScenarios.WARM_UP)) {
            String size = scenario.substring(ArchiveScenarios.WARM_UP.length());
            seconds(scenario, WARM_UP).ifPresent(seconds -> information.put("warmup-" + size + "-seconds", seconds));
        }
        for (String store : List.of("table", "journal")) {
            seconds(Scenarios.QUIET_PURGE, store + "-purge")
                    .ifPresent(seconds -> information.put(store + "-seconds-to-purge-a-million", seconds));
        }
        return information;
    }

    /** Returns the additional time of a poll over no deduplication. */
    private Map<String, Latency> latencies() {
        Map<String, Latency> latencies = new LinkedHashMap<>();
        find(Scenarios.PACED, "bare-poll")
                .ifPresent(bare -> measurements.stream()
                        .filter(measurement -> measurement.scenario().equals(Scenarios.PACED))
                        .filter(measurement -> !measurement.contestant().equals(bare.contestant()))
                        .forEach(measurement -> latencies.put(
                                "latency-added-by-" + measurement.contestant(), Latency.added(bare, measurement))));
        return latencies;
    }

    private static void put(Map<String, Double> ratios, String name, OptionalDouble rate, OptionalDouble other) {
        if (rate.isPresent() && other.isPresent()) {
            ratios.put(name, rate.getAsDouble() / other.getAsDouble());
        }
    }

    private static void put(Map<String, Double> ratios, String name, Optional<Double> ratio) {
        ratio.ifPresent(value -> ratios.put(name, value));
    }

    /** Returns the ratio of a contestant to the same one with another label; empty unless both were measured. */
    private Optional<Double> beside(String scenario, String contestant, String suffix) {
        OptionalDouble rate = rate(scenario, contestant);
        OptionalDouble other = rate(scenario, contestant + suffix);
        return rate.isPresent() && other.isPresent()
                ? Optional.of(rate.getAsDouble() / other.getAsDouble())
                : Optional.empty();
    }

    private OptionalDouble base(String contestant) {
        return rate(Scenarios.BASE, contestant);
    }

    private OptionalDouble best(String... contestants) {
        return Stream.of(contestants)
                .flatMapToDouble(name -> base(name).stream())
                .max();
    }

    /** Returns the rate of the fastest peer; empty unless all peers were measured. */
    private OptionalDouble bestPeer() {
        return PEERS.stream().allMatch(peer -> base(peer).isPresent())
                ? best(PEERS.toArray(String[]::new))
                : OptionalDouble.empty();
    }

    private OptionalDouble rate(String scenario, String contestant) {
        return find(scenario, contestant)
                .map(found -> OptionalDouble.of(found.median(Outcome::rate)))
                .orElse(OptionalDouble.empty());
    }

    private Optional<Double> seconds(String scenario, String contestant) {
        return find(scenario, contestant).map(found -> found.median(Outcome::seconds));
    }

    private Optional<Measurement> find(String scenario, String contestant) {
        return measurements.stream()
                .filter(measurement -> measurement.scenario().equals(scenario)
                        && measurement.contestant().equals(contestant))
                .findFirst();
    }

    private static Optional<Space> space(List<Space> spaces, String contestant) {
        return spaces.stream()
                .filter(space -> space.contestant().equals(contestant))
                .findFirst();
    }
}
