package io.idempotency.samples.streams;

/** What happens to a process, and when. */
enum Accident {
    /** The process dies when it has read a record, before it remembers the id. */
    BEFORE_IT_REMEMBERS("read, not remembered", true),
    /** The process dies when the id is in the state, and in the changelog, before the output is sent. */
    BEFORE_IT_FORWARDS("remembered, not forwarded", true),
    /** The process dies when the output is in Kafka, before the commit. */
    BEHIND_THE_OUTPUT("forwarded, not committed", true),
    /** The process dies right before the commit. */
    BEFORE_THE_COMMIT("before the commit", true),
    /** The process dies when the commit has returned, before anything else. */
    BEHIND_THE_COMMIT("behind the commit", true),
    /** The process dies while it restores its state, after another death. */
    DURING_A_RESTORE("while state is restored", true),
    /** The process dies in a rebalance, because the other one has died. */
    DURING_A_REBALANCE("in a rebalance", true),
    /** The process is asked to end, and does. */
    STOPPED("stopped in order", false),
    /** The process stands still until the other one has taken over and finished; then it goes on as a zombie. */
    FROZEN("frozen, goes on as a zombie", false);

    private final String text;
    private final boolean isInside;

    Accident(String text, boolean isInside) {
        this.text = text;
        this.isInside = isInside;
    }

    /** Returns it for a table. */
    String text() {
        return text;
    }

    /** Returns whether the process causes it itself, when it gets there. */
    boolean isInside() {
        return isInside;
    }
}
