package io.idempotency.web;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.Yaml;

/** Runs the alert rules of docs/monitoring by {@code promtool}, the test program of Prometheus. */
final class Promtool {

    static final Path RULES =
            Path.of("../docs/monitoring/alerts.yml").toAbsolutePath().normalize();

    static final String MISSING = "promtool is missing; it is in the Debian package \"prometheus\"";

    /** The condition of the tests that need it. */
    static final String CONDITION = "io.idempotency.web.Promtool#isInstalled";

    private static final Pattern LABEL = Pattern.compile("\\{\\{ \\$labels\\.(\\w+) }}");

    private Promtool() {}

    /** An alert that is expected. */
    record Alert(String name, Map<String, String> labels) {

        static Alert of(String name, String consumer) {
            return new Alert(name, Map.of("consumer", consumer));
        }

        /** Returns it with the label that most rules add. */
        Alert ofJob() {
            return with("job", Timeline.JOB);
        }

        Alert with(String label, String value) {
            Map<String, String> all = new LinkedHashMap<>(labels);
            all.put(label, value);
            return new Alert(name, all);
        }
    }

    /** Returns whether the program is there. If not, the tests of the rules are skipped, and this says why. */
    static boolean isInstalled() {
        boolean isThere = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "promtool")));
        if (!isThere) {
            System.err.println("SKIPPED: the alert rules are not tried: " + MISSING);
        }
        return isThere;
    }

    /** A rule as it is written. */
    record Rule(String name, String expression, Map<String, String> labels, Map<String, String> annotations) {

        @SuppressWarnings("unchecked")
        private static Rule of(Map<String, Object> read) {
            return new Rule(
                    (String) Objects.requireNonNull(read.get("alert")),
                    (String) Objects.requireNonNull(read.get("expr")),
                    (Map<String, String>) Objects.requireNonNull(read.get("labels")),
                    (Map<String, String>) Objects.requireNonNull(read.get("annotations")));
        }
    }

    static List<Rule> rules() {
        try {
            Map<String, Object> file = new Yaml().load(Files.readString(RULES));
            return maps(file.get("groups")).stream()
                    .flatMap(group -> maps(group.get("rules")).stream())
                    .map(Rule::of)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> maps(@Nullable Object list) {
        return (List<Map<String, Object>>) Objects.requireNonNull(list);
    }

    static void check() {
        run("check", "rules", RULES.toString());
    }

    /** Runs a file of tests. */
    static void test(Path file) {
        run("test", "rules", file.toString());
    }

    /** Begins to say what the rules should make of an axis. */
    static Expectations on(Timeline axis) {
        return new Expectations(axis);
    }

    /** What is expected on an axis. All of it is tried at once. */
    static final class Expectations {

        /** Rules that look back for a day take their time. */
        private static final Duration LONG = Duration.ofHours(12);

        private final Timeline axis;
        private final List<Map<String, Object>> firing = new ArrayList<>();
        private final List<Map<String, Object>> quiet = new ArrayList<>();

        private Expectations(Timeline axis) {
            this.axis = axis;
        }

        /** Expects these alerts at a moment, with their texts, and no others. */
        Expectations firing(Duration at, Alert... expected) {
            for (Rule rule : rules()) {
                List<Map<String, Object>> alerts = Stream.of(expected)
                        .filter(alert -> alert.name().equals(rule.name()))
                        .map(alert -> expected(alert, rule))
                        .toList();
                firing.add(Map.of("eval_time", seconds(at), "alertname", rule.name(), "exp_alerts", alerts));
            }
            assertThat(rules())
                    .extracting(Rule::name)
                    .containsAll(Stream.of(expected).map(Alert::name).toList());
            return this;
        }

        /** Expects that no alert fires up to a moment, from an hour before the beginning of the axis on. */
        Expectations quietUntil(Duration moment) {
            String back = moment.plusMinutes(Timeline.MINUTES_BEFORE / 2).toSeconds() + "s";
            quiet.add(Map.of(
                    "eval_time",
                    seconds(moment),
                    "expr",
                    "count by (alertname, consumer) (max_over_time(ALERTS{alertstate=\"firing\"}[" + back + "]))",
                    "exp_samples",
                    List.of()));
            return this;
        }

        void hold() {
            // All that a node exports would take minutes.
            String read = rules().stream().map(Rule::expression).collect(joining());
            Map<String, Object> test = Map.of(
                    "interval",
                    "1m",
                    "input_series",
                    axis.inputSeries(read::contains).entrySet().stream()
                            .map(each -> Map.of("series", each.getKey(), "values", each.getValue()))
                            .toList(),
                    "alert_rule_test",
                    firing,
                    "promql_expr_test",
                    quiet);
            Map<String, Object> file = Map.of(
                    "rule_files",
                    List.of(RULES.toString()),
                    "evaluation_interval",
                    axis.end().compareTo(LONG) > 0 ? "5m" : "1m",
                    "tests",
                    List.of(test));
            try {
                Path path = Files.createTempFile("alerts", ".yml");
                Files.writeString(path, new Yaml().dump(file));
                test(path);
                Files.delete(path);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String seconds(Duration time) {
            return time.plusMinutes(Timeline.MINUTES_BEFORE).toSeconds() + "s";
        }
    }

    private static Map<String, Object> expected(Alert alert, Rule rule) {
        Map<String, String> labels = new LinkedHashMap<>(alert.labels());
        labels.putAll(rule.labels());
        Map<String, String> annotations = new LinkedHashMap<>();
        rule.annotations()
                .forEach((name, text) -> annotations.put(
                        name,
                        LABEL.matcher(text)
                                .replaceAll(label -> Objects.requireNonNull(labels.get(label.group(1)), text))));
        return Map.of("exp_labels", labels, "exp_annotations", annotations);
    }

    private static void run(String... arguments) {
        List<String> command = new ArrayList<>(List.of("promtool"));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
