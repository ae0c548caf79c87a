package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageRange;
import io.idempotency.store.StoredMessages.Batch;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Forgets one range of messages, batch by batch. Used once. */
final class RangeForgetting {

    static final String VERB = "forget-range";

    private static final int BATCH = 1000;
    private static final String UNFINISHED = " (unfinished)";

    private final ClaimStore store;
    private final Acts acts;
    private final MessageRange range;
    private final LongConsumer progress;
    private long messages;
    private long quarantined;
    private AuditStore.@Nullable Key key;

    RangeForgetting(ClaimStore store, Acts acts, MessageRange range, LongConsumer progress) {
        this.store = store;
        this.acts = acts;
        this.range = range;
        this.progress = progress;
    }

    Forgotten count() {
        Optional<String> next = Optional.of("");
        while (next.isPresent()) {
            next = add(store.messages().count(range, next.get(), BATCH));
        }
        return new Forgotten(messages, quarantined);
    }

    Forgotten forget(String reason) {
        AuditRecord act = acts.of(VERB, range.consumer(), range.toString(), reason);
        try {
            Optional<String> next = Optional.of("");
            while (next.isPresent()) {
                String after = next.get();
                next = add(acts.within(store, () -> {
                    Batch batch = store.messages().forget(range, after, BATCH);
                    record(act, batch);
                    return batch;
                }));
                KnownDuplicates.clearEverywhere(range.consumer());
                progress.accept(messages);
            }
        } finally {
            acts.log(act.with(messages, act.subject()));
        }
        return new Forgotten(messages, quarantined);
    }

    private void record(AuditRecord act, Batch batch) {
        long total = messages + batch.messages();
        String subject = act.subject() + (batch.next().isPresent() ? UNFINISHED : "");
        AuditStore.Key known = key;
        if (known != null) {
            acts.update(known, total, subject);
        } else if (batch.messages() > 0) {
            key = acts.write(act.with(total, subject));
        }
    }

    private Optional<String> add(Batch batch) {
        messages += batch.messages();
        quarantined += batch.quarantined();
        return batch.next();
    }
}
