package io.idempotency.web;

import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a node exports, in the text format of Prometheus.
 *
 * @param at when it was read
 */
record Scrape(Instant at, Map<Series, Double> values) {

    private static final Pattern LINE = Pattern.compile("^([a-z_]+)(?:\\{(.*)})? (\\S+)$", Pattern.MULTILINE);
    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    /** A metric with its labels. */
    record Series(String metric, SortedMap<String, String> labels) {

        Series with(Map<String, String> more) {
            SortedMap<String, String> all = new TreeMap<>(labels);
            all.putAll(more);
            return new Series(metric, all);
        }

        /** Returns it as a selector of Prometheus. */
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(metric);
            text.append('{');
            labels.forEach((name, value) -> text.append(text.charAt(text.length() - 1) == '{' ? "" : ",")
                    .append(name)
                    .append("=\"")
                    .append(value)
                    .append('"'));
            return text.append('}').toString();
        }
    }

    /** Reads the metrics of the library. */
    static Scrape of(String text) {
        Map<Series, Double> values = new LinkedHashMap<>();
        Matcher line = LINE.matcher(text);
        while (line.find()) {
            if (!line.group(1).startsWith("idempotency_")) {
                continue;
            }
            SortedMap<String, String> labels = new TreeMap<>();
            if (line.group(2) != null) {
                Matcher label = LABEL.matcher(line.group(2));
                while (label.find()) {
                    labels.put(label.group(1), label.group(2));
                }
            }
            values.put(
                    new Series(line.group(1), labels),
                    Double.parseDouble(line.group(3).replace("+Inf", "Infinity")));
        }
        return new Scrape(Instant.now(), values);
    }

    /** Returns the sum of all series of a metric that have these labels. */
    double sum(String metric, Map<String, String> labels) {
        return values.entrySet().stream()
                .filter(each -> each.getKey().metric().equals(metric)
                        && each.getKey().labels().entrySet().containsAll(labels.entrySet()))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    Collection<Series> series() {
        return values.keySet();
    }
}
