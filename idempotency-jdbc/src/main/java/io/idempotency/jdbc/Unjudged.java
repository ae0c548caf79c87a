package io.idempotency.jdbc;

/** Decides about a delivery whose memory the purge has deleted, for example after offsets were reset: nobody can tell whether it was processed. */
public enum Unjudged {
    /** It fails, and its partition stands still. */
    REFUSE,
    /** It is processed, perhaps again. The log warns once each time the offsets of a partition are set back. */
    PROCESS,
    /** It is a duplicate. The log warns as well. */
    SKIP
}
