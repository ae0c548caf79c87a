package io.idempotency.replay;

/** What became of one message of a replay. */
public enum ReplayResult {
    /** Its handler has run, and its effect is committed. */
    PROCESSED,
    /** It was processed already; the entry is deleted. */
    DUPLICATE,
    /** Its handler failed again; it stays in quarantine, with the new failure. */
    FAILED,
    /** Its bytes are gone, or make no record; it stays in quarantine. */
    UNREADABLE
}
