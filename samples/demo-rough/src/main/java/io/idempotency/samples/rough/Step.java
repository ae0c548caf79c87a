package io.idempotency.samples.rough;

import java.util.Arrays;
import java.util.List;

/** The listeners of the service: each has a topic, a group and a consumer of its name. */
enum Step {
    RECORD_TABLE(Step.OF_RECORD_TABLE),
    POLL_TABLE(Step.OF_POLL_TABLE),
    BATCH_TABLE(Step.OF_BATCH_TABLE),
    RECORD_JOURNAL(Step.OF_RECORD_JOURNAL),
    POLL_JOURNAL(Step.OF_POLL_JOURNAL),
    BATCH_JOURNAL(Step.OF_BATCH_JOURNAL);

    static final String OF_RECORD_TABLE = "record-table";
    static final String OF_POLL_TABLE = "poll-table";
    static final String OF_BATCH_TABLE = "batch-table";
    static final String OF_RECORD_JOURNAL = "record-journal";
    static final String OF_POLL_JOURNAL = "poll-journal";
    static final String OF_BATCH_JOURNAL = "batch-journal";

    private final String title;

    Step(String title) {
        this.title = title;
    }

    /** The name of its consumer, topic and group. */
    String title() {
        return title;
    }

    /** The table that its handlers truncate. */
    String staging() {
        return "staging_" + title.replace('-', '_');
    }

    /** Returns whether a duplicate is detected only in the partition of the original. */
    boolean isJournal() {
        return title.endsWith("journal");
    }

    /** Returns whether messages share a transaction. */
    boolean isTogether() {
        return !title.startsWith("record");
    }

    static List<Step> all() {
        return Arrays.asList(values());
    }
}
