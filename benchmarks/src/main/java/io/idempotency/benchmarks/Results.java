package io.idempotency.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The results of a run, as in the file.
 *
 * @param commit the measured commit
 * @param notes explanations of the figures
 * @param effects what was counted after the rounds; null in older files
 * @param measurements all raw samples; everything else is computed from them
 */
record Results(
        String commit,
        String date,
        Machine machine,
        String servers,
        String form,
        List<String> notes,
        @Nullable EffectCount effects,
        Map<String, Double> ratios,
        Map<String, Object> sizes,
        Map<String, Object> information,
        List<Measurement> measurements,
        List<Space> spaces) {

    /** Returns the same results with all computed figures. */
    Results computed() {
        Ratios of = new Ratios(measurements);
        return new Results(
                commit,
                date,
                machine,
                servers,
                form,
                notes,
                effects,
                of.all(),
                of.sizes(spaces),
                of.information(),
                measurements,
                spaces);
    }

    void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve("results.json"), Json.PRETTY.writeValueAsString(this) + "\n", StandardCharsets.UTF_8);
        Files.writeString(folder.resolve("results.md"), new ResultTable(this).markdown(), StandardCharsets.UTF_8);
        new ThroughputChart(this).write(folder.resolve("throughput.svg"));
    }
}
