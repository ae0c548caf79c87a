package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Keeps who changed what is remembered. Each method joins the active transaction, or uses its own. Thread-safe. */
public interface AuditStore {

    /**
     * A record that was written, so that its count can grow.
     *
     * @param at when it was written, by the store's clock
     * @param token a random number
     */
    record Key(Instant at, long token) {}

    /** Keeps a record. Its time is replaced by the store's. */
    Key write(AuditRecord change);

    /** Replaces the number of messages and the subject of a record, for an act that takes several transactions. */
    void update(Key key, long messages, String subject);

    /** Lists up to {@code limit} records of all consumers from a moment on, the newest first. */
    List<AuditRecord> list(Instant from, int limit);

    /** Lists up to {@code limit} records of a consumer from a moment on, the newest first. */
    List<AuditRecord> list(String consumer, Instant from, int limit);

    /** Deletes up to {@code limit} records that are older. Returns how many. */
    int purge(Duration olderThan, int limit);
}
