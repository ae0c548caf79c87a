package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Printable;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs acts of operators, each with its audit record in one transaction, and one line in the log after the commit. */
final class Acts {

    private static final Logger log = LoggerFactory.getLogger(Operations.class);
    private static final int MOST_CHARS_OF_ACTOR = 255;
    private static final int MOST_CHARS_OF_ORIGIN = 20;

    private final AuditStore audit;
    private final String actor;
    private final String origin;

    Acts(AuditStore audit, String actor, String origin) {
        if (actor.isBlank()
                || actor.indexOf(0) >= 0
                || actor.length() > MOST_CHARS_OF_ACTOR
                || origin.isBlank()
                || origin.length() > MOST_CHARS_OF_ORIGIN) {
            throw new IdempotencyException("An act needs a name of 1 to " + MOST_CHARS_OF_ACTOR
                    + " characters, and an origin of 1 to " + MOST_CHARS_OF_ORIGIN + " characters, not \""
                    + Printable.of(actor) + "\" and \"" + Printable.of(origin) + "\"");
        }
        this.audit = audit;
        this.actor = actor;
        this.origin = origin;
    }

    Acts as(String newActor, String newOrigin) {
        return new Acts(audit, newActor, newOrigin);
    }

    String actor() {
        return actor;
    }

    AuditRecord of(String verb, String consumer, String subject, String reason) {
        return new AuditRecord(
                Instant.EPOCH, actor, origin, verb, consumer, 0, subject, AuditRecord.requireReason(reason));
    }

    /** Writes a record in the running transaction. */
    AuditStore.Key write(AuditRecord act) {
        return audit.write(act);
    }

    /** Replaces count and subject of a record in the running transaction. */
    void update(AuditStore.Key key, long messages, String subject) {
        audit.update(key, messages, subject);
    }

    /** Runs work in a transaction of a store. */
    <T> T within(ClaimStore store, Supplier<T> work) {
        AtomicReference<@Nullable T> result = new AtomicReference<>();
        store.transactions().inTransaction(() -> result.set(work.get()));
        return Objects.requireNonNull(result.get());
    }

    void log(AuditRecord act) {
        log.info(
                "{} by {} ({}): {} message(s) of {}, {}. Reason: {}{}",
                act.verb(),
                Printable.of(act.actor()),
                Printable.of(act.origin()),
                act.messages(),
                act.consumer(),
                Printable.of(act.subject()),
                Printable.of(act.reason()),
                act.verb().startsWith(Operations.FORGET)
                        ? ". Duplicate caches of other processes follow within " + AuditWatch.INTERVAL.toSeconds()
                                + " s."
                        : "");
    }
}
