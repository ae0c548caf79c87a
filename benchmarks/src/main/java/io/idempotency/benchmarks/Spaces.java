package io.idempotency.benchmarks;

import io.idempotency.samples.demo.Cleanup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Measures the space of messages in the database. It does so once, because the result is deterministic. */
final class Spaces {

    private static final long MANY = 1_000_000;
    private static final long FEWER = 100_000;

    /**
     * A contestant whose space is measured.
     *
     * @param messages how many it handles; fewer if each has a commit
     * @param tables its tables
     */
    private record Candidate(String contestant, long messages, List<String> tables) {}

    private static final List<Candidate> CANDIDATES = List.of(
            new Candidate("bare-batch", MANY, List.of()),
            new Candidate("table-batch", MANY, List.of("idempotency_message")),
            new Candidate("journal-batch", MANY, List.of("idempotency_journal", "idempotency_segment")),
            new Candidate("bare-record", FEWER, List.of()),
            new Candidate("handwritten", FEWER, List.of("processed")));

    /** The name of messages in archives of journals. */
    static final String ARCHIVES = "archives";

    private static final long ARCHIVED = 4_800_000;
    private static final List<String> ARCHIVE_TABLES =
            List.of("idempotency_archive", "idempotency_archive_page", "idempotency_archive_filter");

    private final Stage stage;

    Spaces(Stage stage) {
        this.stage = stage;
    }

    List<Space> measure(Cleanup cleanup) throws Exception {
        stage.topics().require(Scenarios.NEW);
        List<Space> spaces = new ArrayList<>();
        for (Candidate candidate : CANDIDATES) {
            boolean isOfForm = stage.settings().form() == Form.LONG
                    || !candidate.contestant().equals("bare-record");
            if (isOfForm && stage.settings().isWanted(candidate.contestant())) {
                spaces.add(measure(candidate, cleanup));
            }
        }
        if (stage.settings().isWanted(ARCHIVES)) {
            spaces.add(measureArchives());
        }
        return spaces;
    }

    private Space measure(Candidate candidate, Cleanup cleanup) throws Exception {
        Database database = stage.database();
        database.empty();
        database.checkpoint();
        long before = database.walBytes();
        Outcome outcome;
        try (Child child = cleanup.start(
                () -> stage.contestant("space." + candidate.contestant(), candidate.contestant(), "384m"))) {
            child.tell(Json.MAPPER.writeValueAsString(Round.of(Scenarios.NEW).messages(candidate.messages())));
            outcome = Json.MAPPER.readValue(child.hear(), Outcome.class);
        }
        return space(candidate.contestant(), outcome.handled(), candidate.tables(), before);
    }

    /** Measures archives that nobody has merged: merging leaves free space in their tables, which the next archive takes. */
    private Space measureArchives() throws InterruptedException {
        Database database = stage.database();
        database.empty();
        database.checkpoint();
        long before = database.walBytes();
        long messages = new Filling(database, Library.TABLES).archives(Scenarios.NEW, ARCHIVED, Duration.ofHours(20));
        return space(ARCHIVES, messages, ARCHIVE_TABLES, before);
    }

    private Space space(String contestant, long messages, List<String> tables, long walBefore) {
        Database database = stage.database();
        Space space = new Space(
                contestant,
                messages,
                tables.stream().mapToLong(database::heapBytes).sum(),
                tables.stream().mapToLong(database::indexBytes).sum(),
                database.walBytes() - walBefore);
        stage.screen()
                .say(String.format(
                        Locale.ROOT,
                        "space of %s: %.1f bytes a message, %.1f of write-ahead log",
                        contestant,
                        space.bytesPerMessage(),
                        space.walBytesPerMessage()));
        return space;
    }
}
