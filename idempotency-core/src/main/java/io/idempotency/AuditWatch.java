package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the duplicate caches of this process forget what operators forget in other processes. It reads the newest audit records every ten seconds, by one
 * query on their primary key. One watch serves all consumers of a process; without a cache it asks nothing. A query that fails is logged and tried again. Thread-safe.
 */
public final class AuditWatch implements AutoCloseable {

    /** The pause between two looks. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(AuditWatch.class);

    /** A record may be committed after later ones, and that of a range changes until the range is done. */
    private static final Duration OVERLAP = Duration.ofHours(1);

    /** For two minutes a journal of this process may not know yet what was forgotten, and fill a cache again. */
    private static final int LOOKS = 12;

    private static final int MOST_RECORDS = 1000;

    private final AuditStore audit;
    private final Runnable stop;
    private Instant newest = Instant.EPOCH;
    private Map<AuditRecord, Integer> seen = new HashMap<>();

    private AuditWatch(AuditStore audit, Clockwork.Ticks ticks) {
        this.audit = audit;
        this.stop = ticks.every(INTERVAL, "idempotency-audit-watch", this::lookAndLog);
    }

    /** Starts a watch on a daemon thread. Start it before the consumers. */
    public static AuditWatch start(AuditStore audit) {
        return new AuditWatch(audit, Clockwork.of(System::nanoTime).ticks());
    }

    static AuditWatch start(AuditStore audit, Clockwork.Ticks ticks) {
        return new AuditWatch(audit, ticks);
    }

    private void lookAndLog() {
        try {
            look();
        } catch (RuntimeException e) {
            log.warn("Cannot read the audit; until it works, duplicate caches may answer for forgotten messages", e);
        }
    }

    private synchronized void look() {
        if (!KnownDuplicates.areThere()) {
            return;
        }
        List<AuditRecord> records =
                audit.list(newest.equals(Instant.EPOCH) ? newest : newest.minus(OVERLAP), MOST_RECORDS);
        Map<AuditRecord, Integer> looks = new HashMap<>();
        for (AuditRecord each : records) {
            int before = seen.getOrDefault(each, 0);
            if (before < LOOKS) {
                forgetOrLog(each, records.size() == MOST_RECORDS);
            }
            looks.put(each, before + 1);
        }
        seen = looks;
        if (!records.isEmpty()) {
            newest = records.get(0).at();
        }
    }

    /** Anybody with the database may write a record, so one that makes no sense stops no other. */
    private static void forgetOrLog(AuditRecord act, boolean isIncomplete) {
        try {
            forget(act, isIncomplete);
        } catch (IdempotencyException e) {
            log.debug("The audit record of {} at {} names no message", act.consumer(), act.at(), e);
        }
    }

    /**
     * Forgets what an act concerned.
     *
     * @param isIncomplete whether there may be more acts than were read
     */
    private static void forget(AuditRecord act, boolean isIncomplete) {
        if (isIncomplete || act.verb().equals(RangeForgetting.VERB)) {
            KnownDuplicates.clearEverywhere(act.consumer());
        } else if (act.verb().equals(Operations.FORGET)) {
            KnownDuplicates.forgetEverywhere(new MessageId(act.consumer(), act.subject()));
        }
    }

    /** Ends the watch. */
    @Override
    public void close() {
        stop.run();
    }
}
