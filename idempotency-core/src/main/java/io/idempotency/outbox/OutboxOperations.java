package io.idempotency.outbox;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.Printable;
import io.idempotency.store.TransactionRunner;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verbs of operators that change refused outputs. Endpoint, console and command line call nothing else.
 *
 * <p>Each verb needs a reason. It writes an audit record in the transaction of the change, with the consumer {@code outbox}, and one line at INFO after it. A verb that
 * finds nothing writes no record. The texts never hold bytes of outputs. Immutable and thread-safe.
 */
public final class OutboxOperations {

    /** The consumer that audit records of the outbox name. */
    public static final String OUTBOX = "outbox";

    private static final Logger log = LoggerFactory.getLogger(OutboxOperations.class);

    private final RefusedOutputs refused;
    private final AuditStore audit;
    private final TransactionRunner transactions;
    private final String actor;
    private final String origin;

    private OutboxOperations(
            RefusedOutputs refused, AuditStore audit, TransactionRunner transactions, String actor, String origin) {
        this.refused = refused;
        this.audit = audit;
        this.transactions = transactions;
        this.actor = actor;
        this.origin = origin;
    }

    /**
     * Returns the verbs on an outbox. The actor is {@code unknown}, the origin {@code api}.
     *
     * @param transactions that outbox and audit take part in
     */
    public static OutboxOperations of(OutboxStore store, AuditStore audit, TransactionRunner transactions) {
        return new OutboxOperations(store.refused(), audit, transactions, "unknown", "api");
    }

    /**
     * Returns the same verbs for somebody else.
     *
     * @param newActor who acts, as the audit names it; at most 255 characters
     * @param newOrigin from where: {@code api}, {@code endpoint} or {@code cli}; at most 20 characters
     */
    public OutboxOperations as(String newActor, String newOrigin) {
        return new OutboxOperations(refused, audit, transactions, newActor, newOrigin);
    }

    /** Has a refused output sent again. Others with its key may have been sent meanwhile. Returns whether it was there. */
    public boolean resend(long number, String reason) {
        return act("resend", output(number), reason, () -> refused.resend(number) ? 1 : 0) > 0;
    }

    /** Has all refused outputs of a topic sent again, in their order. Returns their number. */
    public int resendAll(String topic, String reason) {
        return act("resend", "all outputs to " + topic, reason, () -> refused.resendAll(topic));
    }

    /** Deletes a refused output for good. Returns whether it was there. */
    public boolean discard(long number, String reason) {
        return act("discard", output(number), reason, () -> refused.discard(number) ? 1 : 0) > 0;
    }

    private static String output(long number) {
        return "output " + number;
    }

    private int act(String verb, String subject, String reason, IntSupplier change) {
        AuditRecord.requireReason(reason);
        AtomicInteger changed = new AtomicInteger();
        transactions.inTransaction(() -> {
            changed.set(change.getAsInt());
            if (changed.get() > 0) {
                audit.write(
                        new AuditRecord(Instant.EPOCH, actor, origin, verb, OUTBOX, changed.get(), subject, reason));
            }
        });
        if (changed.get() > 0) {
            log.info(
                    "{} by {} ({}): {} output(s) of the outbox, {}. Reason: {}",
                    verb,
                    Printable.of(actor),
                    Printable.of(origin),
                    changed.get(),
                    Printable.of(subject),
                    Printable.of(reason));
        }
        return changed.get();
    }
}
