package io.idempotency.web;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Scrapes laid on the time axis of Prometheus, one value a minute. Between two scrapes of a node its values stay as they were. Real moments that a node exports
 * are laid on the axis as the scrapes around them are.
 */
final class Timeline {

    /** For so many minutes before the beginning the nodes of the first scrapes have been watched. */
    static final int MINUTES_BEFORE = 120;

    static final String JOB = "shop";

    private static final String MOMENT = "idempotency_purge_last_success_seconds";

    private record Anchor(Instant real, double seconds) {}

    private final List<Anchor> anchors = new ArrayList<>();
    private final Map<String, NavigableMap<Integer, Map<Scrape.Series, Double>>> nodes = new LinkedHashMap<>();
    private int end;
    private boolean isFresh;

    /** The nodes begin with the axis, or later. Otherwise those that are scraped at its beginning have been watched for two hours. */
    Timeline fresh() {
        isFresh = true;
        return this;
    }

    /** Lays a scrape of a node on the axis. Scrapes come in the order of their moments. */
    Timeline scrape(Duration at, String instance, Scrape scrape) {
        put(at, instance, scrape.values());
        anchors.add(new Anchor(scrape.at(), at.toSeconds()));
        return this;
    }

    /** From this moment on the node has ended. */
    Timeline ended(Duration at, String instance) {
        put(at, instance, Map.of());
        return this;
    }

    /** The last values stay until this moment. */
    Timeline until(Duration at) {
        end = Math.toIntExact(at.toMinutes());
        return this;
    }

    private void put(Duration at, String instance, Map<Scrape.Series, Double> values) {
        int minute = Math.toIntExact(at.toMinutes());
        nodes.computeIfAbsent(instance, node -> new TreeMap<>()).put(minute, values);
        end = Math.max(end, minute);
    }

    Duration end() {
        return Duration.ofMinutes(end);
    }

    /** Returns all series of these metrics with their values, as {@code promtool} reads them. */
    Map<String, String> inputSeries(Predicate<String> metrics) {
        Map<String, String> all = new LinkedHashMap<>();
        nodes.forEach((instance, scrapes) -> scrapes.values().stream()
                .flatMap(scrape -> scrape.keySet().stream())
                .filter(series -> metrics.test(series.metric()))
                .distinct()
                .forEach(series -> all.put(
                        series.with(Map.of("job", JOB, "instance", instance)).toString(), values(series, scrapes))));
        return all;
    }

    private String values(Scrape.Series series, NavigableMap<Integer, Map<Scrape.Series, Double>> scrapes) {
        List<String> parts = new ArrayList<>();
        int first = scrapes.firstKey();
        if (first > 0 || isFresh) {
            parts.add("_x" + (MINUTES_BEFORE + first));
        }
        boolean wasThere = false;
        for (Map.Entry<Integer, Map<Scrape.Series, Double>> scrape : scrapes.entrySet()) {
            Integer next = scrapes.higherKey(scrape.getKey());
            int minutes = (next == null ? end + 1 : next) - scrape.getKey();
            minutes += scrape.getKey() == 0 && !isFresh ? MINUTES_BEFORE : 0;
            Double value = scrape.getValue().get(series);
            if (value != null) {
                parts.add(text(series, value) + "+0x" + (minutes - 1));
            } else {
                // As Prometheus marks a series that is missing in a scrape.
                parts.add(wasThere ? "stale" : "_");
                if (minutes > 1) {
                    parts.add("_x" + (minutes - 1));
                }
            }
            wasThere = value != null;
        }
        return String.join(" ", parts);
    }

    private String text(Scrape.Series series, double value) {
        if (Double.isNaN(value)) {
            throw new IllegalStateException(series + " is not a number");
        }
        double shown = series.metric().equals(MOMENT) ? onAxis(value) + MINUTES_BEFORE * 60 : value;
        return new BigDecimal(shown).toPlainString();
    }

    /** Returns where a moment is, in seconds since the beginning of the axis. */
    private double onAxis(double secondsSince1970) {
        List<Anchor> sorted =
                anchors.stream().sorted(Comparator.comparing(Anchor::real)).toList();
        Anchor first = sorted.get(0);
        if (secondsSince1970 <= seconds(first)) {
            return first.seconds() - (seconds(first) - secondsSince1970);
        }
        for (int i = 1; i < sorted.size(); i++) {
            Anchor before = sorted.get(i - 1);
            Anchor after = sorted.get(i);
            if (secondsSince1970 <= seconds(after)) {
                double part = (secondsSince1970 - seconds(before)) / (seconds(after) - seconds(before));
                return before.seconds() + part * (after.seconds() - before.seconds());
            }
        }
        Anchor last = sorted.get(sorted.size() - 1);
        return last.seconds() + secondsSince1970 - seconds(last);
    }

    private static double seconds(Anchor anchor) {
        return anchor.real().toEpochMilli() / 1000.0;
    }
}
