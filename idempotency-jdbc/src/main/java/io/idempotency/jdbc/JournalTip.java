package io.idempotency.jdbc;

/** The end of a journal as somebody knows it: the version of its last segment, and the token of that append. */
record JournalTip(long version, long token) {

    static final JournalTip NONE = new JournalTip(0, 0);
}
