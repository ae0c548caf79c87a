package io.idempotency.jdbc;

import io.idempotency.Operations;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineTotal;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** The part of a purge about audit and quarantine. Runs on one thread at a time. */
final class Housekeeping {

    private static final Logger LOG = Loggers.PURGER;
    private static final Duration BETWEEN_WARNINGS = Duration.ofHours(1);
    private static final int BATCH = 1000;

    /** Records and how long they are kept. */
    record Audit(AuditStore records, Duration retention) {

        Audit {
            requirePositive("retention of the audit", retention);
        }
    }

    /** Quarantined messages, the age that is worth a warning, and the age at which they are dropped. */
    record Quarantine(QuarantineStore messages, Duration warningAge, Optional<Duration> retention) {

        Quarantine {
            requirePositive("age of a warning", warningAge);
            retention.ifPresent(duration -> requirePositive("retention of the quarantine", duration));
        }

        Quarantine droppedAfter(Duration duration) {
            return new Quarantine(messages, warningAge, Optional.of(duration));
        }
    }

    private final ClaimStore store;
    private final @Nullable Audit audit;
    private final @Nullable Quarantine quarantine;
    private @Nullable Long warnedNanos;

    Housekeeping(ClaimStore store, @Nullable Audit audit, @Nullable Quarantine quarantine) {
        this.store = store;
        this.audit = audit;
        this.quarantine = quarantine;
    }

    private static void requirePositive(String what, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IdempotencyException("The " + what + " must be positive, not " + duration);
        }
    }

    void run(Runnable afterBatch, BooleanSupplier isClosed) {
        Audit records = audit;
        int purged = records == null ? 0 : BATCH;
        while (records != null && purged == BATCH && !isClosed.getAsBoolean()) {
            purged = records.records().purge(records.retention(), BATCH);
            afterBatch.run();
        }
        Quarantine kept = quarantine;
        if (kept == null || isClosed.getAsBoolean()) {
            return;
        }
        Map<String, QuarantineTotal> totals = kept.messages().totals();
        if (kept.retention().isPresent() && records != null) {
            drop(kept, kept.retention().get(), records.records(), totals);
            totals = kept.messages().totals();
        }
        warn(kept, totals);
    }

    /** Drops what is old by the clocks of both the process and the database. */
    private void drop(Quarantine kept, Duration retention, AuditStore records, Map<String, QuarantineTotal> totals) {
        Operations operations = Operations.of(store, kept.messages(), records).as("purger", "purge");
        totals.forEach((consumer, total) -> {
            Instant here = Instant.now();
            Instant there = total.oldest().plus(total.age());
            Instant before = (here.isBefore(there) ? here : there).minus(retention);
            if (total.oldest().isBefore(before)) {
                long dropped = operations.dropOlderThan(
                        consumer, before, "nobody has brought them back within the retention, " + retention);
                if (dropped > 0) {
                    LOG.warn(
                            "Dropped {} messages of {} that were in quarantine for longer than {}, and that nobody has brought back."
                                    + " Copies of them are skipped. The audit has the act",
                            dropped,
                            consumer,
                            retention);
                }
            }
        });
    }

    private void warn(Quarantine kept, Map<String, QuarantineTotal> totals) {
        Long last = warnedNanos;
        Map<String, String> old = new TreeMap<>();
        totals.forEach((consumer, total) -> {
            if (total.age().compareTo(kept.warningAge()) > 0) {
                old.put(consumer, total.messages() + " since " + total.oldest());
            }
        });
        if (!old.isEmpty() && (last == null || System.nanoTime() - last > BETWEEN_WARNINGS.toNanos())) {
            warnedNanos = System.nanoTime();
            LOG.warn("Messages are in quarantine for longer than {}: {}. Replay or drop them", kept.warningAge(), old);
        }
    }
}
