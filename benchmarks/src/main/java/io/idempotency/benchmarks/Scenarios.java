package io.idempotency.benchmarks;

import io.idempotency.benchmarks.Scenario.Setting;
import io.idempotency.benchmarks.Topic.Ids;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** All scenarios. Each varies one thing of the first: all messages are new, 12 partitions, polls of 500. */
final class Scenarios {

    static final String BASE = "all-new";
    static final String ALL_COPIES = "all-duplicates";
    static final String STORED_50M = "stored-50m";
    static final String WARM_UP = "warm-up-10m";
    static final String PURGING = "purging-1m";
    static final String QUIET_PURGE = "purge-1m";
    static final String SHADOW = "shadow";
    static final String METERS = "meters";
    static final String PACED = "100-per-second";

    /** The suffix of a contestant with empty tables where others have filled ones. */
    static final String EMPTY = "-empty";

    /** The suffix of a contestant without a purge beside it. */
    static final String QUIET = "-quiet";

    /** The number of rounds after which a JVM hardly compiles any more. JVMs begin in the first scenario. */
    private static final int COMPILED = 14;

    /** The number of warm-up rounds that the short form has time for. */
    private static final int FEW = 4;

    private static final int MILLION = 1_000_000;
    static final Topic NEW = new Topic("new-12", 12, 1_200_000, Ids.NEW);
    private static final Topic COPIES = new Topic("copies-12", 12, 1_200_000, Ids.COPIES);
    static final long MANY = 4_200_000;

    /** The setting of purges, whose rounds are long. */
    private static final Setting PURGE = new Setting(1, 0, false, Setting.USUAL_HEAP, 2);

    /** The messages of one minute, added after a checkpoint. A checkpoint comes every quarter of an hour, so the last one is usually longer ago than a minute. */
    private static final int LATEST = 800_000;

    private static final Duration RECENT = Duration.ofHours(20);
    private static final Duration FORGOTTEN = Duration.ofDays(9);

    private Scenarios() {}

    /**
     * Returns the scenarios of a form.
     *
     * @param archived the number of ids in archives
     */
    static List<Scenario> of(Form form, long archived) {
        if (form == Form.HUGE) {
            return List.of(ArchiveScenarios.warmUp(archived), ArchiveScenarios.stored(archived));
        }
        List<Scenario> all =
                new ArrayList<>(List.of(base(form), allCopies(), warmUp(), ArchiveScenarios.warmUp(archived)));
        if (form == Form.LONG) {
            all.addAll(List.of(
                    varied("10-percent-duplicates", new Topic("tenth-12", 12, 1_200_000, Ids.TENTH_COPIES)),
                    varied("1-partition", new Topic("new-1", 1, 1_200_000, Ids.NEW)),
                    varied("64-partitions", new Topic("new-64", 64, 1_200_000, Ids.NEW)),
                    polls(1),
                    polls(50),
                    polls(2_000),
                    varied("2-consumers", NEW).with(new Setting(2, 0, false, Setting.USUAL_HEAP, 4)),
                    stored("stored-10m", 10 * MILLION, "table-batch", "journal-batch"),
                    stored(STORED_50M, 50 * MILLION, "table-batch"),
                    ArchiveScenarios.stored(archived),
                    ArchiveScenarios.merging(),
                    ArchiveScenarios.purging(),
                    purging(),
                    quietPurge(),
                    shadow(),
                    meters(),
                    paced()));
        }
        return all;
    }

    private static Scenario base(Form form) {
        List<String> names = new ArrayList<>(List.of(
                "read",
                "bare-batch",
                "bare-poll",
                "table-batch",
                "journal-batch",
                "table-poll",
                "journal-poll",
                "table-record",
                "handwritten",
                "camel",
                "spring-integration",
                "eventuate-tram",
                "spring-bare-batch",
                "spring-handwritten",
                "starter-table-batch",
                "starter-journal-batch",
                "starter-table-poll",
                "starter-journal-poll",
                "starter-table-record"));
        if (form == Form.LONG) {
            names.addAll(List.of("bare-batch-async", "bare-record", "journal-record", "starter-journal-record"));
        }
        return Scenario.of(
                        BASE,
                        NEW,
                        names.stream()
                                .map(name -> name.equals("read")
                                        ? Entry.of(name).with(round -> round.repeating(1))
                                        : Entry.of(name))
                                .toList())
                .with(new Setting(1, 0, false, Setting.USUAL_HEAP, form == Form.LONG ? COMPILED : FEW));
    }

    private static Scenario allCopies() {
        return Scenario.of(ALL_COPIES, COPIES, entries("read", "table-poll", "journal-poll"))
                .with(round -> round.repeating(Topic.KNOWN))
                .with(new Setting(1, 0, false, Setting.USUAL_HEAP, 4));
    }

    private static Scenario varied(String name, Topic topic) {
        return Scenario.of(name, topic, entries("bare-batch", "table-batch", "journal-batch"));
    }

    private static Scenario polls(int messages) {
        return Scenario.of(
                        "polls-of-" + messages,
                        NEW,
                        entries(
                                "bare-batch",
                                "table-batch",
                                "journal-batch",
                                "bare-poll",
                                "table-poll",
                                "journal-poll"))
                .with(round -> round.poll(messages));
    }

    /** Reads a window without archives, and for comparison only its rows. */
    private static Scenario warmUp() {
        return Scenario.of(WARM_UP, NEW, entries("journal-warm-up", "journal-plain-read"))
                .with(round -> round.tables(Database.FILLED).messages(10 * MILLION))
                .with(new Setting(1, 0, false, "1g", 2))
                .filledBy(database -> new Filling(database, Database.FILLED).segments(NEW, 10 * MILLION, RECENT));
    }

    /**
     * Compares tables with the ids of a day and empty ones, in turn. Each has a topic of its own, and each store has one contestant, because ids that are read
     * once remain stored.
     */
    private static Scenario stored(String name, long ids, String... contestants) {
        Topic topic = new Topic(name, 12, MANY, Ids.NEW);
        List<Entry> entries = Stream.of(contestants)
                .flatMap(contestant -> Stream.of(
                        Entry.of(contestant).with(round -> round.tables(Database.FILLED)),
                        Entry.of(contestant).labelled(contestant + EMPTY)))
                .toList();
        return Scenario.of(name, topic, entries)
                .with(new Setting(1, 0, true, "4g", 4))
                .filledBy(database -> {
                    Filling filling = new Filling(database, Database.FILLED);
                    if (List.of(contestants).contains("journal-batch")) {
                        filling.segments(topic, ids, RECENT);
                    }
                    filling.messages(topic, ids - LATEST, RECENT);
                    filling.latest(topic, LATEST);
                });
    }

    private static Scenario purging() {
        List<Entry> entries = new ArrayList<>();
        for (String contestant : List.of("table-batch", "journal-batch")) {
            Preparation filling = contestant.startsWith("table") ? oldMessages() : oldSegments();
            entries.add(Entry.of(contestant).labelled(contestant + QUIET).filledBy(filling));
            entries.add(Entry.of(contestant).with(Round::purging).filledBy(filling));
        }
        return Scenario.of(PURGING, NEW, entries).with(PURGE);
    }

    private static Scenario quietPurge() {
        return Scenario.of(
                        QUIET_PURGE,
                        NEW,
                        List.of(
                                Entry.of("table-purge").filledBy(oldMessages()),
                                Entry.of("journal-purge").filledBy(oldSegments())))
                .with(PURGE);
    }

    private static Preparation oldMessages() {
        return database -> new Filling(database, Library.TABLES).messages(NEW, MILLION, FORGOTTEN);
    }

    /** Fills journals with old segments. A journal measures age against its newest segment. */
    private static Preparation oldSegments() {
        return database -> {
            Filling filling = new Filling(database, Library.TABLES);
            filling.segments(NEW, MILLION, FORGOTTEN);
            filling.segments(NEW, MILLION + 12 * 500, Duration.ZERO);
        };
    }

    /** A shadow consumer beside a loop without deduplication: with a store that hangs, and with one that works. */
    private static Scenario shadow() {
        return Scenario.of(
                        SHADOW,
                        NEW,
                        entries(
                                "bare-batch",
                                "shadow-hanging-batch",
                                "bare-poll",
                                "shadow-hanging-poll",
                                "shadow-table-poll"))
                .with(new Setting(1, 0, false, Setting.USUAL_HEAP, FEW));
    }

    /** The starter with meters and health beside the starter without them, which differs in nothing else. Short work a message shows most of the difference. */
    private static Scenario meters() {
        return Scenario.of(
                        METERS,
                        NEW,
                        entries(
                                "starter-journal-batch",
                                "metered-journal-batch",
                                "starter-journal-poll",
                                "metered-journal-poll",
                                "starter-table-record",
                                "metered-table-record"))
                .with(new Setting(1, 0, false, Setting.USUAL_HEAP, FEW));
    }

    private static Scenario paced() {
        return Scenario.of(
                        PACED,
                        NEW,
                        entries(
                                "bare-poll",
                                "handwritten",
                                "table-poll",
                                "journal-poll",
                                "table-record",
                                "journal-record"))
                .with(round -> round.messages(Long.MAX_VALUE))
                .with(new Setting(1, 100, false, Setting.USUAL_HEAP, 4));
    }

    private static List<Entry> entries(String... contestants) {
        return Stream.of(contestants).map(Entry::of).toList();
    }
}
