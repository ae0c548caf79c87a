package io.idempotency.store;

/** What became of a message. */
public enum MessageStatus {
    /** Its effect is committed. */
    PROCESSED,
    /** It had expired before it was handled; copies of it are skipped. */
    EXPIRED,
    /** A handler works on it under a lease. */
    LEASED,
    /** Its lease was given back after a failure; the next delivery is handled. */
    RELEASED,
    /** Somebody committed its claim before its transaction ended; its owner may still prove it. */
    UNPROVED,
    /** It failed for good and is in quarantine. */
    QUARANTINED,
    /** It is in quarantine, and its handler was not called, because an earlier message of its key is there. */
    BEHIND,
    /** It was deleted from quarantine for good; copies of it are skipped. */
    DROPPED,
    /** It is not remembered: it never came, it is in progress, or it is forgotten. */
    UNKNOWN
}
