package io.idempotency.micrometer;

/** The names of all meters. docs/spring-boot.md describes each of them with its tags. */
public final class MeterNames {

    public static final String CONSUMPTIONS = "idempotency.consumptions";
    public static final String DUPLICATES = "idempotency.duplicates";
    public static final String AGE = "idempotency.duplicates.age";
    public static final String AGE_RATIO = "idempotency.duplicates.age.ratio";
    public static final String TRANSIENT = "idempotency.transient.failures";
    public static final String STUCK = "idempotency.transient.stuck";
    public static final String STANDSTILL = "idempotency.standstill";
    public static final String EARLY = "idempotency.early.commits";
    public static final String LEASES_LOST = "idempotency.leases.lost";
    public static final String UNJUDGED = "idempotency.unjudged";
    public static final String HORIZON_AGE = "idempotency.horizon.age";
    public static final String REPLAYED = "idempotency.replay.messages";
    public static final String UNWATCHED = "idempotency.shadow.unwatched";
    public static final String CHECKS = "idempotency.payload.checks";
    public static final String MISMATCHES = "idempotency.payload.mismatches";
    public static final String QUARANTINED = "idempotency.quarantine.messages";
    public static final String OLDEST = "idempotency.quarantine.oldest";
    public static final String PURGED = "idempotency.purge.messages";
    public static final String PURGE_TIME = "idempotency.purge.time";
    public static final String PURGE_SUCCESS = "idempotency.purge.last.success";
    public static final String JOURNAL_MEMORY = "idempotency.journal.memory";
    public static final String JOURNAL_MESSAGES = "idempotency.journal.messages";
    public static final String JOURNAL_ARCHIVED = "idempotency.journal.archived";
    public static final String JOURNAL_CATCH_UPS = "idempotency.journal.catch.ups";
    public static final String JOURNAL_RELOADS = "idempotency.journal.reloads";

    public static final String OUTBOX_SENT = "idempotency.outbox.sent";
    public static final String OUTBOX_FAILURES = "idempotency.outbox.failures";
    public static final String OUTBOX_WAITING = "idempotency.outbox.waiting";
    public static final String OUTBOX_OLDEST = "idempotency.outbox.oldest";
    public static final String OUTBOX_REFUSED = "idempotency.outbox.refused";

    private MeterNames() {}
}
