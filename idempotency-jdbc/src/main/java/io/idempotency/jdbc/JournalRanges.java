package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
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
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Forgets ranges of messages, journal by journal and some segments or pages of archives at a time. An entry counts only if it is the newest one of its message, so a message that
 * was forgotten and processed again elsewhere is left alone.
 */
final class JournalRanges {

    /** A segment has the messages of a poll: up to 500 by default. */
    private static final int MESSAGES_PER_SEGMENT = 100;

    private static final int MESSAGES_PER_PAGE = 400;

    private final StoreDatabase database;
    private final JournalWindows windows;
    private final JournalClaims claims;

    /** What is asked for. */
    record Asked(MessageRange range, String after, int limit, boolean isForgetting) {}

    /**
     * Where a batch begins: a journal, the version of a segment, and if that is archived the number of the archive and the first hash of a page. If that archive was
     * merged meanwhile, the batch begins with the first page of the one that has the version.
     */
    private record Start(long place, long version, long archive, long page) {

        static Start of(String text) {
            String[] parts = text.split(":", 4);
            return parts.length < 2
                    ? new Start(Long.MIN_VALUE, 1, 0, Long.MIN_VALUE)
                    : new Start(
                            Long.parseLong(parts[0]),
                            Long.parseLong(parts[1]),
                            parts.length < 4 ? 0 : Long.parseLong(parts[2]),
                            parts.length < 4 ? Long.MIN_VALUE : Long.parseLong(parts[3]));
        }
    }

    /** Entries of some segments or pages, and where the next batch of the journal begins; null at its end. */
    private record Part(Entries entries, @Nullable String next) {}

    /** The messages of the range among some entries, each once: those that were settled, and those that were quarantined. */
    private record Entries(MessageRange range, Set<Found> settled, Set<Found> quarantined) {

        static Entries of(MessageRange range) {
            return new Entries(range, new LinkedHashSet<>(), new LinkedHashSet<>());
        }

        void add(Kind kind, long at, UUID id, long offset) {
            boolean isAsked = !StoredTime.instant(at).isBefore(range.from())
                    && StoredTime.instant(at).isBefore(range.to())
                    && offset >= range.firstOffset()
                    && offset <= range.lastOffset();
            if (isAsked && (kind == Kind.PROCESSED || kind == Kind.DROPPED || kind == Kind.EXPIRED)) {
                settled.add(new Found(id, offset));
            } else if (isAsked && kind == Kind.QUARANTINED) {
                quarantined.add(new Found(id, offset));
            }
        }
    }

    /** A message of a segment or a page. */
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
        boolean isStarted = start.place() == key.place();
        long from = Math.max(isStarted ? start.version() : 1, head.horizonVersion() + 1);
        Part part = from <= head.archivedVersion()
                ? archived(connection, asked, head, isStarted ? start : Start.of(""), from)
                : live(connection, asked, head, from);
        Content settled = content(part.entries().settled());
        Content quarantined = content(part.entries().quarantined());
        int messages = 0;
        int kept = 0;
        if (settled.size() + quarantined.size() > 0) {
            JournalWindow window = windows.of(connection, place, active);
            messages = asked.isForgetting() && settled.size() > 0
                    ? claims.append(active, window, settled, JournalRanges::isSettled)
                    : claims.count(active, window, settled, JournalRanges::isSettled);
            kept = claims.count(active, window, quarantined, JournalRanges::isQuarantined);
            if (asked.isForgetting() && messages > 0) {
                database.forgetSettled(connection, key.consumer());
            }
        }
        // Behind the last segment of this journal the next one follows, if there is one.
        String next = part.next() == null ? (key.place() + 1) + ":1" : part.next();
        boolean isLast = asked.range().isOfOffsets() && part.next() == null;
        return new Batch(messages, kept, isLast ? Optional.empty() : Optional.of(next));
    }

    private Part live(Connection connection, Asked asked, JournalHead head, long from) throws SQLException {
        long to = Math.min(head.version(), from + Math.max(1, asked.limit() / MESSAGES_PER_SEGMENT) - 1);
        Entries entries = Entries.of(asked.range());
        database.journals(connection).read(connection, new Range(head.key(), from, to), false, segment -> {
            for (int i = 0; i < segment.offsets().length; i++) {
                UUID id = new UUID(segment.ids()[2 * i], segment.ids()[2 * i + 1]);
                entries.add(segment.kind(), segment.at(), id, segment.offsets()[i]);
            }
        });
        return new Part(entries, to < head.version() ? head.key().place() + ":" + (to + 1) : null);
    }

    /** Reads the next pages of the archive that has a version. If the archives change meanwhile, the next batch begins with the same archive. */
    private Part archived(Connection connection, Asked asked, JournalHead head, Start start, long from)
            throws SQLException {
        ArchiveRows rows = database.journals(connection).archives();
        ArchiveLoad archives = new ArchiveLoad(connection, rows, head);
        String again = head.key().place() + ":" + from;
        List<ArchiveHead> list = archives.list();
        ArchiveHead archive = list == null
                ? null
                : list.stream()
                        .filter(each -> each.span().lastVersion() >= from)
                        .findFirst()
                        .orElse(null);
        if (archive == null) {
            return new Part(Entries.of(asked.range()), again);
        }
        String behind = head.key().place() + ":" + (archive.span().lastVersion() + 1);
        if (!isOverlapping(archive.span(), asked.range())) {
            return new Part(Entries.of(asked.range()), behind);
        }
        int limit = Math.max(1, asked.limit() / MESSAGES_PER_PAGE);
        long first = start.archive() == archive.number() ? start.page() : Long.MIN_VALUE;
        List<ArchivePage> pages = rows.pages(connection, archive, first, limit);
        if (!archives.areActive(List.of(archive))) {
            return new Part(Entries.of(asked.range()), again);
        }
        Entries entries = Entries.of(asked.range());
        ArchiveHash hash = new ArchiveHash(archive.seed());
        for (ArchivePage page : pages) {
            for (int i = 0; i < page.size(); i++) {
                UUID id = new UUID(hash.high(page.hash(i), page.low(i)), page.low(i));
                entries.add(page.kind(i), archive.at(page, i), id, archive.offset(page, i));
            }
        }
        long last = pages.size() < limit
                ? Long.MAX_VALUE
                : pages.get(pages.size() - 1).firstHash();
        return new Part(entries, last == Long.MAX_VALUE ? behind : again + ":" + archive.number() + ":" + (last + 1));
    }

    private static boolean isOverlapping(Span span, MessageRange range) {
        return !StoredTime.instant(span.lastAt()).isBefore(range.from())
                && StoredTime.instant(span.firstAt()).isBefore(range.to())
                && span.lastOffset() >= range.firstOffset()
                && span.firstOffset() <= range.lastOffset();
    }

    private static boolean isSettled(@Nullable Entry newest, long offset) {
        return newest != null
                && newest.offset() == offset
                && (newest.kind() == Kind.PROCESSED || newest.kind() == Kind.EXPIRED || newest.kind() == Kind.DROPPED);
    }

    private static boolean isQuarantined(@Nullable Entry newest, long offset) {
        return newest != null && newest.offset() == offset && newest.kind() == Kind.QUARANTINED;
    }

    private static Content content(Set<Found> found) {
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
