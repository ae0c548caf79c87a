package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The deliveries of a claim in one partition, and the decisions about them. */
final class PartitionClaim {

    private static final int NEW = -1;
    private static final int KNOWN = -2;

    private final JournalWindow window;
    private final UnjudgedRecords unjudged;
    private final List<Delivery> deliveries;
    private final Ids ids;
    /** The indices of the deliveries in the claim, and so of their answers. */
    private int[] answerIndices;

    private long[] offsets;
    private JournalTip tip = JournalTip.NONE;
    /** The verdict for each delivery: known, new, or the index of the new delivery of the same message. */
    private int[] verdicts = new int[0];

    private @Nullable Entry[] entries = new Entry[0];
    private @Nullable Content content;

    /**
     * Creates a claim without deliveries.
     *
     * @param expected how many deliveries will probably be added
     */
    PartitionClaim(JournalWindow window, UnjudgedRecords unjudged, int expected) {
        this.window = window;
        this.unjudged = unjudged;
        this.deliveries = new ArrayList<>(expected);
        this.ids = new Ids(expected);
        this.answerIndices = new int[expected];
        this.offsets = new long[expected];
    }

    void add(int indexInClaim, Delivery delivery) {
        int index = deliveries.size();
        if (index == answerIndices.length) {
            answerIndices = Arrays.copyOf(answerIndices, index * 2);
            offsets = Arrays.copyOf(offsets, index * 2);
        }
        UUID id = StoredId.of(delivery.id().value());
        answerIndices[index] = indexInClaim;
        offsets[index] = delivery.position().offset();
        ids.add(id.getMostSignificantBits(), id.getLeastSignificantBits());
        deliveries.add(delivery);
    }

    JournalWindow window() {
        return window;
    }

    JournalKey key() {
        return window.key();
    }

    /** Returns the tip of the journal at the decision. */
    JournalTip tip() {
        return tip;
    }

    /** Returns the content to append; null if nothing is new. */
    @Nullable
    Content content() {
        return content;
    }

    /** Returns whether each delivery is a new message. */
    boolean isAllNew() {
        return content != null && content.size() == deliveries.size();
    }

    Ids ids() {
        return ids;
    }

    /**
     * Decides by window and overlay. If the window grows meanwhile, the append notices.
     *
     * @param known what the window and its archives know of the ids
     */
    void decide(JournalKnowledge known, @Nullable JournalOverlay overlay) {
        tip = overlay == null ? known.tip() : overlay.tip();
        long horizon = known.horizonOffset();
        int size = deliveries.size();
        verdicts = new int[size];
        entries = known.entries();
        IdTable fresh = new IdTable(size);
        int[] news = new int[size];
        Delivery unjudgeable = null;
        for (int i = 0; i < size; i++) {
            long high = ids.high(i);
            long low = ids.low(i);
            Entry entry = overlay == null ? null : overlay.find(high, low);
            entry = entry == null ? entries[i] : entry;
            if (entry != null && entry.kind() != Kind.FORGOTTEN) {
                verdicts[i] = KNOWN;
                entries[i] = entry;
                continue;
            }
            if (entry == null && offsets[i] <= horizon && fresh.find(high, low) < 0) {
                unjudgeable = unjudgeable == null ? deliveries.get(i) : unjudgeable;
                if (isSkipped(deliveries.get(i), horizon)) {
                    verdicts[i] = KNOWN;
                    continue;
                }
            }
            int copy = fresh.addIfAbsent(ids, i);
            if (copy < 0) {
                news[fresh.size() - 1] = i;
            }
            verdicts[i] = copy < 0 ? NEW : news[copy];
        }
        if (unjudgeable != null && window.use().tellSetBack()) {
            new SetBack(unjudgeable, horizon).warn(Loggers.JOURNAL_STORE, unjudged.choice());
        } else if (unjudgeable == null && fresh.size() > 0) {
            window.use().goesForward();
        }
        content = fresh.size() == 0 ? null : content(Arrays.copyOf(news, fresh.size()));
    }

    private boolean isSkipped(Delivery delivery, long horizon) {
        return switch (unjudged.decide(delivery)) {
            case PROCESS -> false;
            case SKIP -> true;
            case REFUSE ->
                throw new SetBack(delivery, horizon)
                        .refused(
                                "the journal of " + window + " has forgotten offsets up to " + horizon,
                                "JournalStoreBuilder.unjudged(..)",
                                ". If the topic was deleted and created again, give it journals of its own,"
                                        + " by JournalStoreBuilder.streams(..), idempotency.journal.topic-ids or .streams");
        };
    }

    private Content content(int[] news) {
        long[] numbers = new long[news.length * 2];
        long[] appended = new long[news.length];
        int[] ascending = isAscending(news)
                ? news
                : Arrays.stream(news)
                        .boxed()
                        .sorted(Comparator.comparingLong(i -> offsets[i]))
                        .mapToInt(Integer::intValue)
                        .toArray();
        for (int i = 0; i < appended.length; i++) {
            numbers[2 * i] = ids.high(ascending[i]);
            numbers[2 * i + 1] = ids.low(ascending[i]);
            appended[i] = offsets[ascending[i]];
        }
        return new Content(Kind.PROCESSED, numbers, appended);
    }

    private boolean isAscending(int[] indices) {
        for (int i = 1; i < indices.length; i++) {
            if (offsets[indices[i]] < offsets[indices[i - 1]]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Gives the answers.
     *
     * @param at the time of the appended segment
     */
    void answer(Claim[] answers, long at, long now) {
        for (int i = 0; i < verdicts.length; i++) {
            answers[answerIndices[i]] = answer(i, at, now);
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
            return Claim.duplicate(delivery, Optional.of(new Processed(first, StoredTime.instant(at), Duration.ZERO)));
        }
        Entry entry = entries[index];
        if (entry == null) {
            return Claim.duplicate(delivery, Optional.empty());
        }
        Position position = delivery.position();
        Optional<Processed> processed = Optional.of(StoredTime.processed(
                new Position(position.stream(), position.partition(), entry.offset()), entry.at(), now));
        return entry.kind() == Kind.QUARANTINED
                ? Claim.quarantined(delivery, processed)
                : Claim.duplicate(delivery, processed);
    }
}
