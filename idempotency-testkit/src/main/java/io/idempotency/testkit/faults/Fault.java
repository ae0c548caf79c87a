package io.idempotency.testkit.faults;

/** What happens to the first delivery of a message. */
enum Fault {
    NONE("nothing fails", "nothing failed"),
    DIES_BEFORE_EFFECT(
            "the process dies after the claim, before the effect",
            "the process died after the claim, before the effect"),
    DIES_AFTER_EFFECT(
            "the process dies after the effect, before the commit",
            "the process died after the effect, before the commit"),
    DIES_BEFORE_COMMIT("the process dies right before the commit", "the process died right before the commit"),
    DIES_BEFORE_OFFSET_COMMIT(
            "the process dies after the commit, before the offset commit",
            "the process died after the commit, before the offset commit"),
    DIES_AFTER_OFFSET_COMMIT("the process dies after the offset commit", "the process died after the offset commit"),
    STATEMENT_FAILS("a statement fails by a lock timeout", "a statement failed by a lock timeout"),
    COMMIT_FAILS(
            "the connection breaks at the commit, before the database has committed",
            "the connection broke at the commit, before the database had committed"),
    ANSWER_LOST(
            "the connection breaks at the commit, after the database has committed",
            "the connection broke at the commit, after the database had committed");

    private final String title;
    private final String past;

    Fault(String title, String past) {
        this.title = title;
        this.past = past;
    }

    /** Returns what happens, as a name of a test. */
    String title() {
        return title;
    }

    /** Returns what happened. */
    String past() {
        return past;
    }
}
