package io.idempotency.jdbc;

import io.idempotency.jdbc.Generation.Entry;
import io.idempotency.jdbc.Segment.Content;
import io.idempotency.jdbc.Segment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The deliveries of one claim that are of one partition, and what is decided about them. */
final class Part {

    private static final int NEW = -1;
    private static final int KNOWN = -2;

    private final Window window;
    private final JournalStore.Unjudged unjudged;
    private final List<Delivery> deliveries = new ArrayList<>();
    private final List<UUID> ids = new ArrayList<>();
    /** Where the answers belong. */
    private final List<Integer> places = new ArrayList<>();

    private Tip tip = Tip.NONE;
    /** Of each delivery: known, new, or the index of the new one that it is a copy of. */
    private int[] verdicts = new int[0];

    private @Nullable Entry[] entries = new Entry[0];
    private @Nullable Content content;

    Part(Window window, JournalStore.Unjudged unjudged) {
        this.window = window;
        this.unjudged = unjudged;
    }

    void add(int place, Delivery delivery) {
        places.add(place);
        deliveries.add(delivery);
        ids.add(MessageKey.idOf(delivery.id().value()));
    }

    Window window() {
        return window;
    }

    JournalKey key() {
        return window.key();
    }

    /** Returns where the journal stood when this was decided. */
    Tip tip() {
        return tip;
    }

    /** Returns what is to be appended; null if nothing is new. */
    @Nullable
    Content content() {
        return content;
    }

    /** Decides by what is known; what the window learns meanwhile can only make the append find it behind. */
    void decide(@Nullable Overlay overlay) {
        tip = overlay == null ? window.tip() : overlay.tip();
        long horizon = window.horizonOffset();
        verdicts = new int[ids.size()];
        entries = new Entry[ids.size()];
        IdTable fresh = new IdTable();
        List<Integer> news = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            long high = ids.get(i).getMostSignificantBits();
            long low = ids.get(i).getLeastSignificantBits();
            int copy = fresh.find(high, low);
            if (copy >= 0) {
                verdicts[i] = news.get(copy);
                continue;
            }
            Entry entry = overlay == null ? null : overlay.find(high, low);
            entry = entry == null ? window.find(high, low) : entry;
            if (entry != null && entry.kind() != Kind.FORGOTTEN) {
                verdicts[i] = KNOWN;
                entries[i] = entry;
            } else if (entry == null
                    && deliveries.get(i).position().offset() <= horizon
                    && isSkipped(deliveries.get(i))) {
                verdicts[i] = KNOWN;
            } else {
                verdicts[i] = NEW;
                fresh.add(high, low);
                news.add(i);
            }
        }
        content = news.isEmpty() ? null : content(news);
    }

    private boolean isSkipped(Delivery delivery) {
        return switch (unjudged) {
            case PROCESS -> false;
            case SKIP -> true;
            case REFUSE ->
                throw new IdempotencyException(
                        "Whether " + delivery + " was processed is not known any more: offsets up to "
                                + window.horizonOffset() + " are older than what the journal of " + window
                                + " remembers. If the offsets of the group were reset on purpose, let the store process or skip"
                                + " what it cannot judge, by JournalStoreBuilder.unjudged(..) or idempotency.journal.unjudged. If"
                                + " the topic was deleted and created again, give it journals of its own, by"
                                + " JournalStoreBuilder.streams(..), idempotency.journal.topic-ids or .streams");
        };
    }

    private Content content(List<Integer> news) {
        news.sort((one, other) -> Long.compare(offset(one), offset(other)));
        long[] numbers = new long[news.size() * 2];
        long[] offsets = new long[news.size()];
        for (int i = 0; i < offsets.length; i++) {
            UUID id = ids.get(news.get(i));
            numbers[2 * i] = id.getMostSignificantBits();
            numbers[2 * i + 1] = id.getLeastSignificantBits();
            offsets[i] = offset(news.get(i));
        }
        return new Content(Kind.PROCESSED, numbers, offsets);
    }

    private long offset(int index) {
        return deliveries.get(index).position().offset();
    }

    /**
     * Gives the answers.
     *
     * @param at the time of the segment that was appended
     */
    void answer(Claim[] answers, long at, long now) {
        for (int i = 0; i < verdicts.length; i++) {
            answers[places.get(i)] = answer(i, at, now);
        }
    }

    private Claim answer(int index, long at, long now) {
        Delivery delivery = deliveries.get(index);
        int verdict = verdicts[index];
        if (verdict == NEW) {
            return Claim.granted(delivery);
        }
        if (verdict != KNOWN) {
            Position first = deliveries.get(verdict).position();
            return Claim.duplicate(
                    delivery, Optional.of(new Processed(first, MessageTable.instant(at), Duration.ZERO)));
        }
        Entry entry = entries[index];
        if (entry == null) {
            return Claim.duplicate(delivery, Optional.empty());
        }
        Position position = delivery.position();
        Optional<Processed> processed = Optional.of(MessageTable.processed(
                new Position(position.stream(), position.partition(), entry.offset()), entry.at(), now));
        return entry.kind() == Kind.QUARANTINED
                ? Claim.quarantined(delivery, processed)
                : Claim.duplicate(delivery, processed);
    }
}
