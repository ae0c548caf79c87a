package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the duplicate caches of this process forget what operators forget in other processes. It reads the newest audit records every ten seconds, by one
 * query on their primary key. One watch serves all consumers of a process. A query that fails is logged and tried again. Thread-safe.
 */
public final class AuditWatch implements AutoCloseable {

    /** The pause between two looks. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(AuditWatch.class);

    /** A record may be committed some time after it was written. */
    private static final Duration OVERLAP = Duration.ofMinutes(2);

    private static final int MOST_RECORDS = 1000;

    private final AuditStore audit;
    private final Runnable stop;
    private Instant newest = Instant.EPOCH;
    private Set<AuditRecord> seen = new HashSet<>();

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
        List<AuditRecord> records =
                audit.list(newest.equals(Instant.EPOCH) ? newest : newest.minus(OVERLAP), MOST_RECORDS);
        for (AuditRecord each : records) {
            if (!seen.contains(each)) {
                forget(each);
            }
        }
        if (records.size() == MOST_RECORDS) {
            // There may be more. Caches are only emptied.
            records.stream().map(AuditRecord::consumer).distinct().forEach(KnownDuplicates::clearEverywhere);
        }
        seen = new HashSet<>(records);
        if (!records.isEmpty()) {
            newest = records.get(0).at();
        }
    }

    private static void forget(AuditRecord act) {
        switch (act.verb()) {
            case Operations.FORGET -> KnownDuplicates.forgetEverywhere(new MessageId(act.consumer(), act.subject()));
            case RangeForgetting.VERB -> KnownDuplicates.clearEverywhere(act.consumer());
            default -> {
                // Changes nothing that a cache knows.
            }
        }
    }

    /** Ends the watch. */
    @Override
    public void close() {
        stop.run();
    }
}
