package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.StoredMessage;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Puts messages of one consumer into quarantine, batch by batch. Used once. */
final class QuarantineImport {

    private static final int BATCH = 100;
    private static final Imported ADDED = new Imported(1, 0, 0, 0, 0);
    private static final Imported REPLACED = new Imported(0, 1, 0, 0, 0);
    private static final Imported KNOWN = new Imported(0, 0, 1, 0, 0);
    private static final Imported SETTLED = new Imported(0, 0, 0, 1, 0);
    private static final Imported BUSY = new Imported(0, 0, 0, 0, 1);

    private final ClaimStore store;
    private final QuarantineStore quarantine;
    private final String consumer;
    private final boolean isReplacing;
    private Imported soFar = Imported.NOTHING;

    QuarantineImport(ClaimStore store, QuarantineStore quarantine, String consumer, boolean isReplacing) {
        this.store = store;
        this.quarantine = quarantine;
        this.consumer = consumer;
        this.isReplacing = isReplacing;
    }

    Imported count(Iterator<QuarantinedMessage> messages) {
        messages.forEachRemaining(message -> soFar = soFar.plus(looked(own(message))));
        return soFar;
    }

    Imported run(Iterator<QuarantinedMessage> messages, Acts acts, String reason, LongConsumer progress) {
        AuditRecord act = acts.of("import", consumer, "messages imported into quarantine", reason);
        new LongAct(acts, store, act).run(() -> batch(messages), ignored -> progress.accept(soFar.total()));
        return soFar;
    }

    private LongAct.Step batch(Iterator<QuarantinedMessage> messages) {
        long changed = 0;
        for (int taken = 0; taken < BATCH && messages.hasNext(); taken++) {
            Imported one = put(own(messages.next()));
            changed += one.added() + one.replaced();
            soFar = soFar.plus(one);
        }
        return new LongAct.Step(changed, !messages.hasNext());
    }

    private QuarantinedMessage own(QuarantinedMessage message) {
        MessageId id = message.delivery().id();
        if (!id.consumer().equals(consumer)) {
            throw new IdempotencyException(id + " is no message of " + consumer + ", so it is not imported with these");
        }
        return message;
    }

    private Imported put(QuarantinedMessage message) {
        Optional<QuarantineEntry> kept = quarantine.find(message.delivery().id());
        if (kept.isPresent()) {
            Imported found = found(kept.get());
            return found.equals(REPLACED) ? replaced(message, kept.get()) : found;
        }
        Claim claim = store.claim(List.of(message.delivery())).get(0);
        return switch (claim.status()) {
            case GRANTED -> {
                store.quarantine(claim);
                quarantine.save(message);
                yield ADDED;
            }
            case QUARANTINED -> {
                quarantine.save(message);
                yield ADDED;
            }
            case DUPLICATE -> SETTLED;
            case IN_PROGRESS -> BUSY;
        };
    }

    /** A replay may have begun with the message meanwhile, or ended with it. */
    private Imported replaced(QuarantinedMessage message, QuarantineEntry kept) {
        Optional<QuarantineEntry> own = quarantine.take(message.delivery().id(), kept.generation());
        if (own.isEmpty() || own.get().replay().isPresent()) {
            return BUSY;
        }
        quarantine.save(message);
        return REPLACED;
    }

    private Imported looked(QuarantinedMessage message) {
        MessageId id = message.delivery().id();
        return quarantine
                .find(id)
                .map(this::found)
                .orElseGet(() ->
                        store.messages().look(id).map(QuarantineImport::found).orElse(ADDED));
    }

    private Imported found(QuarantineEntry kept) {
        if (kept.replay().isPresent()) {
            return BUSY;
        }
        return isReplacing ? REPLACED : KNOWN;
    }

    private static Imported found(StoredMessage known) {
        if (known.age().isNegative()) {
            return BUSY;
        }
        return known.status() == MessageStatus.QUARANTINED || known.status() == MessageStatus.RELEASED
                ? ADDED
                : SETTLED;
    }
}
