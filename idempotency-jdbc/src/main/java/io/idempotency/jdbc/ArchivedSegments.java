package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The oldest segments of a journal as the source of an archive. Committed segments do not change, with two exceptions: an unproved one may still become final as
 * long as its journal has not grown and is not archived up to it, and a time that lay in the future is corrected. It takes 36 bytes of memory for each message.
 */
final class ArchivedSegments implements ArchiveSource {

    private final Journals journals;
    private final JournalKey key;
    private final long first;
    private final long last;
    private final long before;
    private final List<Segment> segments = new ArrayList<>();
    private long[] hashes;
    private long[] lows;
    private long[] offsets;
    private int[] ofSegments;
    private long[] order = new long[0];
    private int orderBits;
    private int size;
    private int next;
    private long lastVersion;
    private long lastToken;

    /** What is the same for all messages of a segment. */
    private record Segment(long at, Kind kind, long firstOffset, long lastOffset) {}

    /**
     * Names segments.
     *
     * @param before the greatest offset of what is older than the segments
     * @param messages how many messages they have
     */
    ArchivedSegments(Journals journals, JournalDialect.Range range, long before, int messages) {
        this.journals = journals;
        this.key = range.key();
        this.first = range.from();
        this.last = range.to();
        this.before = before;
        this.hashes = new long[messages];
        this.lows = new long[messages];
        this.offsets = new long[messages];
        this.ofSegments = new int[messages];
    }

    private static final String TOKEN =
            "select token from ${tables}segment where consumer = ? and place = ? and version = ?";

    /**
     * {@inheritDoc} If the last segment has the token that was read, so have those before it, and none of them was proved meanwhile: a late proof gives new tokens to
     * all segments of its transaction, which are the last ones of the journal.
     */
    @Override
    public boolean isThere(Connection connection, JournalHead head) throws SQLException {
        if (head.goneVersion() != first - 1 || head.version() <= last) {
            return false;
        }
        return lastVersion == 0 || isLastThere(connection);
    }

    private boolean isLastThere(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(TOKEN))) {
            statement.setInt(1, key.consumer());
            statement.setLong(2, key.place());
            statement.setLong(3, last);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getLong(1) == lastToken;
            }
        }
    }

    @Override
    public @Nullable Contents open(Connection connection, ArchiveHash hash) throws SQLException {
        lastVersion = first - 1;
        boolean[] isComplete = {true};
        journals.read(connection, new JournalDialect.Range(key, first, last), false, segment -> {
            isComplete[0] &= segment.tip().version() == lastVersion + 1;
            add(segment, hash);
        });
        if (!isComplete[0] || lastVersion != last) {
            return null;
        }
        sort();
        return new Contents(span(), size);
    }

    private void add(JournalSegment segment, ArchiveHash hash) {
        lastVersion = segment.tip().version();
        lastToken = segment.tip().token();
        long[] all = segment.offsets();
        segments.add(new Segment(segment.at(), segment.kind(), all[0], all[all.length - 1]));
        if (segment.kind() == Kind.UNPROVED) {
            return;
        }
        for (int i = 0; i < all.length; i++) {
            if (size == hashes.length) {
                makeRoom();
            }
            long low = segment.ids()[2 * i + 1];
            hashes[size] = hash.hash(segment.ids()[2 * i], low);
            lows[size] = low;
            offsets[size] = all[i];
            ofSegments[size++] = segments.size() - 1;
        }
    }

    private void makeRoom() {
        int room = Math.max(64, size * 2);
        hashes = Arrays.copyOf(hashes, room);
        lows = Arrays.copyOf(lows, room);
        offsets = Arrays.copyOf(offsets, room);
        ofSegments = Arrays.copyOf(ofSegments, room);
    }

    private Span span() {
        long front = segments.stream()
                .mapToLong(Segment::firstOffset)
                .filter(offset -> offset > before)
                .findFirst()
                .orElse(-1);
        return new Span(
                first,
                last,
                segments.get(0).at(),
                segments.get(segments.size() - 1).at(),
                segments.stream().mapToLong(Segment::firstOffset).min().orElse(0),
                segments.stream().mapToLong(Segment::lastOffset).max().orElse(0),
                front);
    }

    /** Sorts the upper bits of the hashes, with the index of the message in the lower ones, and then the few whose upper bits are equal. */
    private void sort() {
        orderBits = Integer.SIZE - Integer.numberOfLeadingZeros(size);
        order = new long[size];
        for (int i = 0; i < size; i++) {
            order[i] = (hashes[i] & -1L << orderBits) | i;
        }
        Arrays.sort(order);
        for (int i = 1; i < size; i++) {
            long moved = order[i];
            int to = i;
            while (to > 0
                    && order[to - 1] >> orderBits == moved >> orderBits
                    && isLess(index(moved), index(order[to - 1]))) {
                order[to] = order[to - 1];
                to--;
            }
            order[to] = moved;
        }
    }

    private int index(long ordered) {
        return (int) (ordered & ~(-1L << orderBits));
    }

    /** Entries of one message stay in the order of their versions, which is that of the indices. */
    private boolean isLess(int one, int other) {
        return hashes[one] != hashes[other] ? hashes[one] < hashes[other] : lows[one] < lows[other];
    }

    @Override
    public @Nullable Message next(Connection connection) {
        if (next == size) {
            return null;
        }
        int index = index(order[next++]);
        while (next < size && isSame(index, index(order[next]))) {
            index = index(order[next++]);
        }
        Segment segment = segments.get(ofSegments[index]);
        return new Message(hashes[index], lows[index], offsets[index], segment.at(), segment.kind());
    }

    private boolean isSame(int one, int other) {
        return hashes[one] == hashes[other] && lows[one] == lows[other];
    }

    private static final String STEP =
            "update ${tables}journal set archived_version = ? where consumer = ? and place = ?";

    @Override
    public void replace(Connection connection, JournalHead head) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(STEP))) {
            statement.setLong(1, last);
            statement.setInt(2, key.consumer());
            statement.setLong(3, key.place());
            statement.executeUpdate();
        }
    }
}
