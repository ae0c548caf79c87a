package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.StoredMessage;
import java.util.Optional;

/** What is asked of one message before an operator's verb changes it. */
record OneMessage(ClaimStore store, QuarantineStore quarantine, KnownConsumers consumers, MessageId id) {

    /** Returns what would be forgotten. */
    Forgotten forgettable() {
        Optional<MessageStatus> status = look().map(StoredMessage::status);
        boolean isQuarantined = status.filter(MessageStatus.QUARANTINED::equals).isPresent()
                || quarantine.find(id).isPresent();
        return new Forgotten(status.isPresent() && !isQuarantined ? 1 : 0, isQuarantined ? 1 : 0);
    }

    /** Refuses to forget a message in quarantine or in progress. */
    void requireForgettable() {
        if (quarantine.find(id).isPresent()) {
            throw new ConflictException(id + " is in quarantine, so it is not forgotten: replay it, or drop it");
        }
        look().filter(known -> known.age().isNegative()).ifPresent(known -> {
            throw new ConflictException(
                    id + " is in progress, so it is not forgotten: its lease ends at " + known.at());
        });
    }

    /** Deletes its entry in quarantine. Returns its first delivery. */
    Delivery takeFromQuarantine() {
        Optional<QuarantineEntry> entry = quarantine.find(id);
        entry.flatMap(QuarantineEntry::replay).ifPresent(replay -> {
            throw new ConflictException(
                    id + " belongs to the replay " + Printable.of(replay) + ": stop that first, then drop the message");
        });
        if (entry.isPresent() && quarantine.delete(id)) {
            return entry.get().message().delivery();
        }
        Optional<StoredMessage> known = look();
        consumers.requireIf(known.isEmpty(), id.consumer());
        return known.filter(each -> each.status() == MessageStatus.QUARANTINED)
                .map(each -> new Delivery(id, each.position()))
                .orElseThrow(() -> new ConflictException(id + " is not in quarantine, so it cannot be dropped: it is "
                        + known.map(StoredMessage::status).orElse(MessageStatus.UNKNOWN)));
    }

    private Optional<StoredMessage> look() {
        return store.messages().look(id);
    }
}
