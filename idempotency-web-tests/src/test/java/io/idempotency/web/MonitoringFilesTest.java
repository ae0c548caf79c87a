package io.idempotency.web;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.micrometer.QuarantineMeters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The dashboard and the alert rules of docs/monitoring name metrics and labels that a running node exports, and places in documents that exist. */
class MonitoringFilesTest {

    private static final Path DOCS = Path.of("../docs");
    private static final Pattern METRIC = Pattern.compile("\\b(idempotency_[a-z_]+)\\b(?:\\{([^}]*)})?");
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(?:=~|!~|!=|=)\"([^\"]*)\"");
    private static final Pattern GROUPING = Pattern.compile("\\bby \\(([^)]*)\\) ?\\(");
    private static final Pattern LEGEND = Pattern.compile("\\{\\{ ?(?:\\$labels\\.)?([a-z_]+) ?}}");
    /** What Prometheus adds to each series. */
    private static final Set<String> ADDED = Set.of("job", "instance");

    private static final JsonNode DASHBOARD = dashboard();

    /** The labels of each exported metric, with their values. */
    private static Map<String, Map<String, Set<String>>> exported = Map.of();

    /** A query, with the texts that show its labels. */
    private record Query(String expression, List<String> shown) {}

    @BeforeAll
    static void scrape() {
        try (MonitoredNode.Site site = new MonitoredNode.Site();
                MonitoredNode node = new MonitoredNode(
                        site, "management.metrics.distribution.percentiles-histogram.idempotency.consumptions=true")) {
            MonitoredNode.CONSUMERS.forEach(consumer -> site.send(consumer, "a", "b", "a"));
            site.awaitSettled();
            node.awaitPurge();
            node.bean(QuarantineMeters.class).count();
            exported = node.scrape().series().stream()
                    .collect(toMap(Scrape.Series::metric, MonitoringFilesTest::labels, MonitoringFilesTest::merged));
        }
    }

    private static Map<String, Set<String>> labels(Scrape.Series series) {
        return series.labels().entrySet().stream()
                .collect(toMap(Map.Entry::getKey, label -> new HashSet<>(Set.of(label.getValue()))));
    }

    private static Map<String, Set<String>> merged(Map<String, Set<String>> all, Map<String, Set<String>> more) {
        more.forEach((label, values) ->
                all.computeIfAbsent(label, name -> new HashSet<>()).addAll(values));
        return all;
    }

    private static JsonNode dashboard() {
        return JsonMapper.builder()
                .build()
                .readTree(DOCS.resolve("monitoring/dashboard.json").toFile());
    }

    private static List<JsonNode> panels() {
        List<JsonNode> panels = new ArrayList<>();
        DASHBOARD.get("panels").forEach(panels::add);
        return panels;
    }

    private static Stream<JsonNode> charts() {
        return panels().stream().filter(panel -> !text(panel, "type").equals("row"));
    }

    private static String text(JsonNode node, String name) {
        return Objects.requireNonNull(node.path(name).asString(""), name);
    }

    private static Stream<Query> queries() {
        Stream<Query> shown = charts().flatMap(panel -> {
            List<Query> all = new ArrayList<>();
            panel.get("targets")
                    .forEach(target -> all.add(new Query(text(target, "expr"), List.of(text(target, "legendFormat")))));
            return all.stream();
        });
        Stream<Query> rules = Promtool.rules().stream()
                .map(rule -> new Query(
                        rule.expression(), List.copyOf(rule.annotations().values())));
        return Stream.concat(shown, rules);
    }

    @Test
    void nameOnlyMetricsAndLabelsThatANodeExports() {
        assertThat(queries()).hasSizeGreaterThan(30).allSatisfy(query -> {
            Matcher metric = METRIC.matcher(query.expression());
            int metrics = 0;
            while (metric.find()) {
                metrics++;
                assertThat(exported).containsKey(metric.group(1));
                Matcher label = MATCHER.matcher(Objects.requireNonNullElse(metric.group(2), ""));
                while (label.find()) {
                    assertExported(metric.group(1), label.group(1), label.group(2));
                }
            }
            assertThat(metrics).as(query.expression()).isPositive();
        });
    }

    private static void assertExported(String metric, String label, String pattern) {
        assertThat(labels(metric)).as(metric).contains(label);
        if (!pattern.startsWith("$")) {
            Set<String> values = Objects.requireNonNull(exported.get(metric)).getOrDefault(label, Set.of());
            assertThat(pattern.split("\\|")).as(metric + " " + label).isSubsetOf(values);
        }
    }

    private static Set<String> labels(String metric) {
        Set<String> all = new HashSet<>(ADDED);
        all.addAll(Objects.requireNonNull(exported.get(metric), metric).keySet());
        return all;
    }

    @Test
    void groupAndShowByLabelsThatTheirMetricsHave() {
        assertThat(queries()).allSatisfy(query -> {
            Set<String> grouped = new HashSet<>();
            Matcher grouping = GROUPING.matcher(query.expression());
            while (grouping.find()) {
                List<String> by = List.of(grouping.group(1).split(", "));
                grouped.addAll(by);
                Matcher metric = METRIC.matcher(inBrackets(query.expression(), grouping.end()));
                assertThat(metric.find()).as(query.expression()).isTrue();
                do {
                    assertThat(labels(metric.group(1))).as(query.expression()).containsAll(by);
                } while (metric.find());
            }
            assertThat(query.shown())
                    .allSatisfy(text -> assertThat(grouped)
                            .as(query.expression())
                            .containsAll(LEGEND.matcher(text)
                                    .results()
                                    .map(label -> label.group(1))
                                    .toList()));
        });
    }

    /** Returns what is inside of the brackets that were opened right before. */
    private static String inBrackets(String expression, int begin) {
        int depth = 1;
        int end = begin;
        while (depth > 0) {
            char c = expression.charAt(end++);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        }
        return expression.substring(begin, end - 1);
    }

    @Test
    void leaveOutNoMeterThatWantsAttention() {
        String all = String.join(" ", queries().map(Query::expression).toList());

        assertThat(exported.keySet().stream()
                        .map(metric -> metric.replaceAll("_(count|sum|max|bucket)$", ""))
                        .filter(metric -> !metric.equals("idempotency_payload_checks_total")
                                && !metric.equals("idempotency_transient_stuck_total")))
                .allSatisfy(metric -> assertThat(all).contains(metric));
    }

    @Test
    void isReadyForImport() {
        assertThat(DASHBOARD.path("schemaVersion").asInt()).isGreaterThanOrEqualTo(39);
        assertThat(DASHBOARD.path("id").isNull()).isTrue();
        assertThat(panels()).extracting(panel -> panel.path("id").asInt()).doesNotHaveDuplicates();
        List<String> variables = new ArrayList<>();
        DASHBOARD.path("templating").path("list").forEach(variable -> variables.add(text(variable, "name")));
        assertThat(variables).containsExactly("datasource", "job", "consumer");
        assertThat(charts()).isNotEmpty().allSatisfy(panel -> {
            assertThat(text(panel.path("datasource"), "uid")).isEqualTo("${datasource}");
            assertThat(text(panel, "description")).as("what to do").hasSizeGreaterThan(60);
            String unit = text(panel.path("fieldConfig").path("defaults"), "unit")
                    + text(panel.path("options").path("yAxis"), "unit");
            assertThat(unit).as(text(panel, "title")).isNotEmpty();
        });
        assertThat(panels().stream()
                        .filter(panel -> text(panel, "type").equals("row"))
                        .map(panel -> text(panel, "title")))
                .hasSize(4);
    }

    @Test
    void sendReadersToPlacesThatExist() {
        assertThat(Promtool.rules()).allSatisfy(rule -> {
            assertThat(rule.labels().get("severity")).isIn("page", "ticket");
            assertThat(rule.annotations()).containsOnlyKeys("summary", "description", "runbook");
            String[] place =
                    Objects.requireNonNull(rule.annotations().get("runbook")).split("#", 2);
            Path page = Path.of("..").resolve(place[0]);
            assertThat(page).exists();
            if (place.length > 1) {
                assertThat(anchors(page)).contains(place[1]);
            }
        });
    }

    @Test
    void areDescribedAndTriedOneByOne() throws IOException {
        String page = Files.readString(DOCS.resolve("monitoring.md"));
        String tests = "";
        for (Class<?> each : List.of(AlertsTest.class, QuarantineAlertsTest.class, RewoundAlertsTest.class)) {
            tests += Files.readString(Path.of("src/test/java/io/idempotency/web", each.getSimpleName() + ".java"));
        }
        String tried = tests;

        assertThat(Promtool.rules()).isNotEmpty().allSatisfy(rule -> {
            assertThat(page)
                    .contains("| `" + rule.name() + "` | " + rule.labels().get("severity") + " |");
            assertThat(tried).contains("\"" + rule.name() + "\"");
        });
    }

    private static List<String> anchors(Path page) throws IOException {
        return Files.readAllLines(page).stream()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9_ -]", "")
                        .replace(' ', '-'))
                .toList();
    }
}
