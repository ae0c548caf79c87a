package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Keeps who changed what is remembered. Each method joins the active transaction, or uses its own. Thread-safe. */
public interface AuditStore {

    /** Keeps a record. Its time is replaced by the store's. */
    void write(AuditRecord change);

    /** Lists up to {@code limit} records of all consumers from a moment on, the newest first. */
    List<AuditRecord> list(Instant from, int limit);

    /** Deletes up to {@code limit} records that are older. Returns how many. */
    int purge(Duration olderThan, int limit);
}
