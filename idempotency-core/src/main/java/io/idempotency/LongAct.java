package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An act of operators that takes several transactions. It has one audit record, which each transaction raises, and which is marked as unfinished until
 * the last one. So after a crash the record says exactly what was done. Used once.
 */
final class LongAct {

    private static final String UNFINISHED = " (unfinished)";

    private final Acts acts;
    private final ClaimStore store;
    private final AuditRecord act;
    private long messages;
    private AuditStore.@Nullable Key key;

    /** What one transaction did to how many messages. */
    record Step(long messages, boolean isLast) {}

    /** Returns an act in transactions of this store. */
    LongAct(Acts acts, ClaimStore store, AuditRecord act) {
        this.acts = acts;
        this.store = store;
        this.act = act;
    }

    /**
     * Runs steps until the last one, each in a transaction. Returns how many messages all of them concerned.
     *
     * @param afterwards is given the messages so far, after each commit
     */
    long run(Supplier<Step> step, LongConsumer afterwards) {
        try {
            boolean isLast = false;
            while (!isLast) {
                Step done = acts.within(store, () -> {
                    Step running = step.get();
                    record(running);
                    return running;
                });
                messages += done.messages();
                isLast = done.isLast();
                afterwards.accept(messages);
            }
        } finally {
            if (messages > 0) {
                acts.log(act.with(messages, act.subject()));
            }
        }
        return messages;
    }

    private void record(Step step) {
        long total = messages + step.messages();
        String subject = act.subject() + (step.isLast() ? "" : UNFINISHED);
        AuditStore.Key known = key;
        if (known != null) {
            acts.update(known, total, subject);
        } else if (total > 0) {
            key = acts.write(act.with(total, subject));
        }
    }
}
