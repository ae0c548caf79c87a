package io.idempotency.benchmarks;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes results as tables in Markdown. */
final class ResultTable {

    private final Results results;
    private final StringBuilder text = new StringBuilder();

    ResultTable(Results results) {
        this.results = results;
    }

    String markdown() {
        Machine machine = results.machine();
        line("# Results");
        line("");
        line("Written by `mvn -Pbenchmark`, form " + results.form() + ", on " + results.date() + " at commit `"
                + results.commit() + "`.");
        line(machine.processor() + ", " + machine.processors() + " processors, " + machine.memoryMegabytes() + " MB, "
                + machine.system() + ", " + machine.java() + "; " + results.servers() + ".");
        results.notes().forEach(note -> line("\n" + note));
        EffectCount effects = results.effects();
        if (effects != null) {
            line("\nEffects, counted after each round: " + effects.describe() + ".");
        }
        heading("Ratios", "ratio", "");
        results.ratios().forEach((name, ratio) -> row(name, format("%.2f", ratio)));
        heading("Sizes", "what", "");
        flat(results.sizes()).forEach((name, size) -> row(name, size));
        heading("Further", "what", "");
        flat(results.information()).forEach((name, value) -> row(name, value));
        byScenario().forEach(this::scenario);
        return text.toString();
    }

    private Map<String, List<Measurement>> byScenario() {
        return results.measurements().stream()
                .collect(Collectors.groupingBy(Measurement::scenario, LinkedHashMap::new, Collectors.toList()));
    }

    private void scenario(String name, List<Measurement> measurements) {
        heading(
                "Scenario " + name,
                "contestant",
                "messages a second, median of " + runs(measurements) + " (least to most)");
        measurements.forEach(measurement -> row(
                measurement.contestant(),
                format(
                        "%,.0f (%,.0f to %,.0f)",
                        measurement.rate().median(),
                        measurement.rate().least(),
                        measurement.rate().most())));
    }

    private static int runs(List<Measurement> measurements) {
        return measurements.get(0).outcomes().size();
    }

    /** Flattens nested values. */
    private static Map<String, String> flat(Map<String, ?> values) {
        Map<String, String> flat = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            if (value instanceof Double number) {
                flat.put(name, format("%.2f", number));
            } else {
                Json.MAPPER
                        .valueToTree(value)
                        .properties()
                        .forEach(inner -> flat.put(
                                name + ", " + inner.getKey(),
                                format("%.2f", inner.getValue().asDouble())));
            }
        });
        return flat;
    }

    private void heading(String title, String left, String right) {
        line("");
        line("## " + title);
        line("");
        row(left, right);
        row("---", "---:");
    }

    private void row(String left, String right) {
        line("| " + left + " | " + right + " |");
    }

    private void line(String line) {
        text.append(line).append('\n');
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
