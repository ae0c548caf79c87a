package io.idempotency.benchmarks;

import io.idempotency.benchmarks.Scenario.Setting;
import io.idempotency.benchmarks.Topic.Ids;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Scenarios of journals with archives: older messages are in pages in the database, with filters in memory. */
final class ArchiveScenarios {

    /** The begin of the name of a scenario; the number of ids follows, see {@link #size}. */
    static final String STORED = "archived-";

    static final String WARM_UP = "archived-warm-up-";
    static final String MERGING = "merging-4m";
    static final String PURGING = "purging-archives-10m";

    private static final int MILLION = 1_000_000;
    private static final int BILLION = 1_000 * MILLION;

    /** The messages that are not archived, for each partition, unless there are few in all. */
    private static final int RECENT_MESSAGES = 500_000;

    /** So many rounds, because each is short. */
    private static final int WARM_UPS = 8;

    private static final int HALF_A_BILLION = BILLION / 2;

    /** How many messages stay in segments of a journal while it is archived: so few that its archives are merged too. */
    private static final int STAYING = 30_000;

    private static final int TO_BE_MERGED = 12 * 400_000;
    private static final int TO_BE_PURGED = 10 * MILLION;
    private static final int A_SEGMENT_FOR_EACH = 12 * 500;
    private static final Duration RECENT = Duration.ofHours(20);
    private static final Duration FORGOTTEN = Duration.ofDays(9);
    private static final Setting PLAIN = new Setting(1, 0, false, Setting.USUAL_HEAP, 2);

    private ArchiveScenarios() {}

    /** Returns the number of ids as in the names of scenarios, such as {@code 100m} and {@code 1b}. */
    static String size(long ids) {
        return ids % BILLION == 0 ? ids / BILLION + "b" : ids / MILLION + "m";
    }

    /** Reads the filters of archives with so many ids, and for comparison only their rows. */
    static Scenario warmUp(long ids) {
        Topic topic = topic(ids);
        return Scenario.of(
                        WARM_UP + size(ids),
                        topic,
                        Stream.of("journal-warm-up", "journal-plain-read")
                                .map(Entry::of)
                                .toList())
                .with(round -> round.tables(Database.FILLED))
                .with(new Setting(1, 0, false, heap(ids), WARM_UPS))
                .filledBy(database -> new Filling(database, Database.FILLED).archives(topic, ids, RECENT));
    }

    /** Compares journals with archives of so many ids, and the messages that are not archived yet, with empty ones, in turn. */
    static Scenario stored(long ids) {
        Topic topic = topic(ids);
        long recent = Math.min(ids / 4, (long) RECENT_MESSAGES * topic.partitions());
        Entry batch = Entry.of("journal-batch");
        return Scenario.of(
                        STORED + size(ids),
                        topic,
                        List.of(
                                batch.with(round -> round.tables(Database.FILLED)),
                                batch.labelled(batch.label() + Scenarios.EMPTY)))
                .with(new Setting(1, 0, true, heap(ids), 4))
                .filledBy(database -> {
                    Filling filling = new Filling(database, Database.FILLED);
                    filling.archives(topic, ids, RECENT);
                    filling.segments(topic, recent, RECENT);
                });
    }

    private static Topic topic(long ids) {
        return new Topic(STORED + size(ids), 12, Scenarios.MANY, Ids.NEW);
    }

    /** Returns the memory of a JVM. Each round reads the journals anew. With 2 GB for 100 million ids it would collect those of the round before while it measures. */
    private static String heap(long ids) {
        return ids < HALF_A_BILLION ? "4g" : "8g";
    }

    /** Archives are built and merged beside one of two contestants. A round ends when nothing is left to merge, or with the topic. */
    static Scenario merging() {
        return besides(MERGING, database -> {
            new Filling(database, Library.TABLES).segments(Scenarios.NEW, TO_BE_MERGED, Filling.SPAN);
        });
    }

    /** Ten million archived messages are purged beside one of two contestants. A million would be purged too soon to measure anything. */
    static Scenario purging() {
        return besides(PURGING, database -> {
            Filling filling = new Filling(database, Library.TABLES);
            filling.archives(Scenarios.NEW, TO_BE_PURGED, FORGOTTEN);
            filling.segments(Scenarios.NEW, A_SEGMENT_FOR_EACH, Duration.ZERO);
        });
    }

    private static Scenario besides(String name, Preparation filling) {
        Entry batch = Entry.of("journal-batch").filledBy(filling);
        return Scenario.of(
                        name,
                        Scenarios.NEW,
                        List.of(batch.labelled(batch.label() + Scenarios.QUIET), batch.with(Round::purging)))
                .with(round -> round.archiving(STAYING))
                .with(PLAIN);
    }
}
