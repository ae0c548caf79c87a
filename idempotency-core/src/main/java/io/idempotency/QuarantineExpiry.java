package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import java.util.List;
import java.util.Optional;

/** Drops chosen messages from quarantine, page by page. Used once. */
final class QuarantineExpiry {

    private static final int PAGE = 100;

    private final ClaimStore store;
    private final QuarantineStore quarantine;
    private final QuarantineSelection old;
    private Optional<Delivery> after = Optional.empty();

    QuarantineExpiry(ClaimStore store, QuarantineStore quarantine, QuarantineSelection old) {
        this.store = store;
        this.quarantine = quarantine;
        this.old = old;
    }

    /** Drops the messages of the next page, in the active transaction. */
    LongAct.Step page() {
        List<QuarantineSummary> page = quarantine.list(old, after, PAGE);
        long dropped = 0;
        for (QuarantineSummary kept : page) {
            if (isDroppable(kept) && quarantine.delete(kept.delivery().id())) {
                store.messages().drop(kept.delivery());
                dropped++;
            }
            after = Optional.of(kept.delivery());
        }
        return new LongAct.Step(dropped, page.size() < PAGE);
    }

    /** Those of a replay, those on which a handler works, and those that another store remembers stay. */
    private boolean isDroppable(QuarantineSummary kept) {
        MessageId id = kept.delivery().id();
        return kept.replay().isEmpty()
                && store.messages()
                        .look(id)
                        .filter(known -> !known.age().isNegative())
                        .isPresent();
    }
}
