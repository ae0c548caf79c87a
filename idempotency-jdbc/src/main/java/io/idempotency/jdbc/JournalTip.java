package io.idempotency.jdbc;

/** How far somebody knows a journal: its last segment, and the token of the append that made it. */
record JournalTip(long version, long token) {

    static final JournalTip NONE = new JournalTip(0, 0);
}
