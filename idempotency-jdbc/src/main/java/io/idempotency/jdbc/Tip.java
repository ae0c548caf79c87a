package io.idempotency.jdbc;

/** How far somebody knows a journal: its last segment, and the token of the append that made it. */
record Tip(long version, long token) {

    static final Tip NONE = new Tip(0, 0);
}
