package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageRange;
import io.idempotency.store.StoredMessages.Batch;
import java.util.function.LongConsumer;

/** Forgets one range of messages, batch by batch. Used once. */
final class RangeForgetting {

    static final String VERB = "forget-range";

    private static final int BATCH = 1000;

    private final ClaimStore store;
    private final MessageRange range;
    private String after = "";
    private long quarantined;

    RangeForgetting(ClaimStore store, MessageRange range) {
        this.store = store;
        this.range = range;
    }

    Forgotten count() {
        long messages = 0;
        boolean isLast = false;
        while (!isLast) {
            LongAct.Step step = step(store.messages().count(range, after, BATCH));
            messages += step.messages();
            isLast = step.isLast();
        }
        return new Forgotten(messages, quarantined);
    }

    Forgotten forget(Acts acts, String reason, LongConsumer progress) {
        AuditRecord act = acts.of(VERB, range.consumer(), range.toString(), reason);
        long messages = new LongAct(acts, store, act)
                .run(() -> step(store.messages().forget(range, after, BATCH)), sofar -> {
                    KnownDuplicates.clearEverywhere(range.consumer());
                    progress.accept(sofar);
                });
        return new Forgotten(messages, quarantined);
    }

    private LongAct.Step step(Batch batch) {
        quarantined += batch.quarantined();
        after = batch.next().orElse("");
        return new LongAct.Step(batch.messages(), batch.next().isEmpty());
    }
}
