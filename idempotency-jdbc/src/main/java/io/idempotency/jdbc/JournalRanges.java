package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.jdbc.JournalGeneration.Entry;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.Position;
import io.idempotency.store.StoredMessages.Batch;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Forgets ranges of messages, journal by journal and some segments at a time. An entry counts only if it is the newest one of its message, so a message that
 * was forgotten and processed again elsewhere is left alone.
 */
final class JournalRanges {

    /** A segment has the messages of a poll: up to 500 by default. */
    private static final int MESSAGES_PER_SEGMENT = 100;

    private final StoreDatabase database;
    private final JournalWindows windows;
    private final JournalClaims claims;

    /** What is asked for. */
    record Asked(MessageRange range, String after, int limit, boolean isForgetting) {}

    /** Where a batch begins: a journal, and the version of a segment. */
    private record Start(long place, long version) {

        static Start of(String text) {
            int colon = text.indexOf(':');
            return colon < 0
                    ? new Start(Long.MIN_VALUE, 1)
                    : new Start(Long.parseLong(text.substring(0, colon)), Long.parseLong(text.substring(colon + 1)));
        }
    }

    /** A message of a segment. */
    private record Found(UUID id, long offset) {}

    JournalRanges(StoreDatabase database, JournalWindows windows, JournalClaims claims) {
        this.database = database;
        this.windows = windows;
        this.claims = claims;
    }

    Batch batch(Connection connection, ActiveTransaction active, Asked asked) throws SQLException {
        Start start = Start.of(asked.after());
        Integer consumer = database.consumer(connection, asked.range().consumer(), active.proposedNames());
        if (consumer == null) {
            return new Batch(0, 0, Optional.empty());
        }
        List<JournalKey> keys = database.journals(connection).keys(connection, consumer).stream()
                .filter(key -> key.place() >= start.place())
                .toList();
        for (JournalKey key : keys) {
            Position at = database.position(connection, key.place(), 0, active.proposedNames());
            JournalPlace place = new JournalPlace(asked.range().consumer(), at.stream(), at.partition());
            if (isAsked(asked.range(), place)) {
                return batch(connection, active, asked, place, key);
            }
        }
        return new Batch(0, 0, Optional.empty());
    }

    private boolean isAsked(MessageRange range, JournalPlace place) {
        return !range.isOfOffsets()
                || windows.place(new Delivery(
                                new MessageId(range.consumer(), "any"),
                                new Position(range.stream(), range.partition(), 0)))
                        .equals(place);
    }

    private Batch batch(
            Connection connection, ActiveTransaction active, Asked asked, JournalPlace place, JournalKey key)
            throws SQLException {
        JournalHead head = database.journals(connection)
                .heads(connection, List.of(key), false)
                .get(0);
        Start start = Start.of(asked.after());
        long from = Math.max(start.place() == key.place() ? start.version() : 1, head.horizonVersion() + 1);
        long to = Math.min(head.version(), from + Math.max(1, asked.limit() / MESSAGES_PER_SEGMENT) - 1);
        List<JournalSegment> segments = new ArrayList<>();
        database.journals(connection).read(connection, new Range(key, from, to), false, segments::add);
        // An expired message has a segment of its claim, too.
        Content settled = content(segments, asked.range(), Kind.PROCESSED, Kind.DROPPED);
        Content quarantined = content(segments, asked.range(), Kind.QUARANTINED, Kind.QUARANTINED);
        int messages = 0;
        int kept = 0;
        if (settled.size() + quarantined.size() > 0) {
            JournalWindow window = windows.of(connection, place, active);
            messages = asked.isForgetting() && settled.size() > 0
                    ? claims.append(active, window, settled, JournalRanges::isSettled)
                    : claims.count(active, window, settled, JournalRanges::isSettled);
            kept = claims.count(active, window, quarantined, JournalRanges::isQuarantined);
        }
        // Behind the last segment of this journal the next one follows, if there is one.
        String next = to < head.version() ? key.place() + ":" + (to + 1) : (key.place() + 1) + ":1";
        boolean isLast = asked.range().isOfOffsets() && to >= head.version();
        return new Batch(messages, kept, isLast ? Optional.empty() : Optional.of(next));
    }

    private static boolean isSettled(@Nullable Entry newest, long offset) {
        return newest != null
                && newest.offset() == offset
                && (newest.kind() == Kind.PROCESSED || newest.kind() == Kind.EXPIRED || newest.kind() == Kind.DROPPED);
    }

    private static boolean isQuarantined(@Nullable Entry newest, long offset) {
        return newest != null && newest.offset() == offset && newest.kind() == Kind.QUARANTINED;
    }

    /** Returns the messages of the range, of segments of one of two kinds, in the order of their offsets, each once. */
    private static Content content(List<JournalSegment> segments, MessageRange range, Kind one, Kind other) {
        Set<Found> found = new LinkedHashSet<>();
        for (JournalSegment segment : segments) {
            boolean isAsked = (segment.kind() == one || segment.kind() == other)
                    && !StoredTime.instant(segment.at()).isBefore(range.from())
                    && StoredTime.instant(segment.at()).isBefore(range.to());
            for (int i = 0; isAsked && i < segment.offsets().length; i++) {
                long offset = segment.offsets()[i];
                if (offset >= range.firstOffset() && offset <= range.lastOffset()) {
                    found.add(new Found(new UUID(segment.ids()[2 * i], segment.ids()[2 * i + 1]), offset));
                }
            }
        }
        List<Found> sorted =
                found.stream().sorted(Comparator.comparingLong(Found::offset)).toList();
        long[] ids = new long[sorted.size() * 2];
        long[] offsets = new long[sorted.size()];
        for (int i = 0; i < offsets.length; i++) {
            ids[2 * i] = sorted.get(i).id().getMostSignificantBits();
            ids[2 * i + 1] = sorted.get(i).id().getLeastSignificantBits();
            offsets[i] = sorted.get(i).offset();
        }
        return new Content(Kind.FORGOTTEN, ids, offsets);
    }
}
