package io.idempotency.faultkit;

/** The names of the runs of a test. */
final class Runs {

    static final String UNDISTURBED = "nothing fails (1 of 2)";
    static final String AGAIN = "nothing fails (2 of 2)";
    static final String DIES_BEFORE_EFFECT = "the process dies after the claim, before the effect";
    static final String DIES_AFTER_EFFECT = "the process dies after the effect, before the commit";
    static final String DIES_BEFORE_COMMIT = "the process dies right before the commit";
    static final String DIES_BEFORE_OFFSET_COMMIT = "the process dies after the commit, before the offset commit";
    static final String DIES_AFTER_OFFSET_COMMIT = "the process dies after the offset commit";
    static final String STATEMENT_FAILS = "a statement fails by a lock timeout";
    static final String COMMIT_FAILS = "the connection breaks at the commit, before the database has committed";
    static final String ANSWER_LOST = "the connection breaks at the commit, after the database has committed";

    private Runs() {}
}
