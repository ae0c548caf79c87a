package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdForms;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages.Retained;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Explains what became of messages. */
final class Explaining {

    private static final Pattern POSITION = Pattern.compile("(.+)-(\\d{1,9})@(\\d{1,18})");
    private static final Set<MessageStatus> REMEMBERED =
            Set.of(MessageStatus.PROCESSED, MessageStatus.EXPIRED, MessageStatus.DROPPED);

    private final ClaimStore store;
    private final QuarantineStore quarantine;

    Explaining(ClaimStore store, QuarantineStore quarantine) {
        this.store = store;
        this.quarantine = quarantine;
    }

    /** Returns all messages that the text may mean; one that is unknown if there is none. */
    List<Explanation> all(String consumer, String text) {
        Retained retained = store.messages().retained(consumer);
        List<Explanation> known = new ArrayList<>();
        for (String form : IdForms.of(text)) {
            id(consumer, form)
                    .map(id -> one(id, retained))
                    .filter(one -> one.status() != MessageStatus.UNKNOWN)
                    .ifPresent(known::add);
        }
        at(consumer, text)
                .filter(id -> known.stream().noneMatch(one -> one.id().equals(id)))
                .ifPresent(id -> known.add(one(id, retained)));
        return known.isEmpty() ? List.of(one(new MessageId(consumer, text), retained)) : List.copyOf(known);
    }

    /** Returns the quarantined message at a position such as {@code orders-3@18272}. */
    private Optional<MessageId> at(String consumer, String text) {
        Matcher position = POSITION.matcher(text);
        if (!position.matches()) {
            return Optional.empty();
        }
        long offset = Long.parseLong(position.group(3));
        QuarantineSelection selection = QuarantineSelection.of(consumer).stream(position.group(1))
                .partition(Integer.parseInt(position.group(2)))
                .offsets(offset, offset);
        return quarantine.list(selection, Optional.empty(), 1).stream()
                .map(each -> each.delivery().id())
                .findFirst();
    }

    /** Returns the id; empty if it is too long with its kind. */
    private static Optional<MessageId> id(String consumer, String form) {
        try {
            return Optional.of(new MessageId(consumer, form));
        } catch (InvalidMessageIdException e) {
            return Optional.empty();
        }
    }

    private Explanation one(MessageId id, Retained retained) {
        Optional<StoredMessage> stored = store.messages().look(id);
        Optional<QuarantineEntry> entry = quarantine.find(id);
        MessageStatus status = status(stored, entry);
        Optional<Instant> until = stored.filter(each -> REMEMBERED.contains(status))
                .flatMap(each -> retained.retention().map(each.at()::plus));
        return new Explanation(id, status, stored, entry.map(Explanation.Kept::of), until, retained.since());
    }

    /** An entry of which the store knows nothing is still in quarantine. */
    private static MessageStatus status(Optional<StoredMessage> stored, Optional<QuarantineEntry> entry) {
        MessageStatus status = stored.map(StoredMessage::status).orElse(MessageStatus.UNKNOWN);
        boolean isKept = status == MessageStatus.QUARANTINED || (status == MessageStatus.UNKNOWN && entry.isPresent());
        if (!isKept) {
            return status;
        }
        return entry.filter(each -> each.message().isBehind()).isPresent()
                ? MessageStatus.BEHIND
                : MessageStatus.QUARANTINED;
    }
}
