package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Append;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Carries quarantined messages to the tip of a journal before their segments or their archive are deleted, as long as the quarantine has an entry of them. The head is
 * locked. Costs one query, unless the segments to delete have such messages; then it also reads which later segments forget a message or quarantine it
 * again.
 */
final class JournalCarry {

    private final Connection connection;
    private final Journals journals;
    private final JournalHead head;
    private final Map<UUID, Long> offsets = new TreeMap<>();

    JournalCarry(Connection connection, Journals journals, JournalHead head) {
        this.connection = connection;
        this.journals = journals;
        this.head = head;
    }

    /**
     * Appends the quarantined messages of the oldest segments, up to a version.
     *
     * @param at the time of the appended segment
     * @return what it appended, or null if there is nothing to carry
     */
    @Nullable
    Append carry(long upTo, long at) throws SQLException {
        read(head.goneVersion() + 1, upTo, true);
        keepThoseInQuarantine();
        return carry(upTo, at, List.of());
    }

    /**
     * Appends the quarantined messages of the oldest archive. Reads the pages that have such messages, and for each one that the quarantine has a page of each
     * other archive.
     *
     * @param archives the active archives, oldest first
     * @param at the time of the appended segment
     * @return what it appended, or null if there is nothing to carry
     */
    @Nullable
    Append carry(List<ArchiveHead> archives, long at) throws SQLException {
        read(archives.get(0));
        keepThoseInQuarantine();
        return carry(head.archivedVersion(), at, archives.subList(1, archives.size()));
    }

    private void keepThoseInQuarantine() throws SQLException {
        for (UUID id : List.copyOf(offsets.keySet())) {
            if (!isInQuarantine(id)) {
                offsets.remove(id);
            }
        }
    }

    private @Nullable Append carry(long upTo, long at, List<ArchiveHead> later) throws SQLException {
        for (ArchiveHead archive : later) {
            follow(archive);
        }
        if (!offsets.isEmpty()) {
            read(upTo + 1, head.version(), false);
        }
        if (offsets.isEmpty()) {
            return null;
        }
        JournalTip tip =
                new JournalTip(head.version() + 1, ThreadLocalRandom.current().nextLong());
        Append carried = new Append(head.key(), head.tip(), tip, content());
        insert(carried, at);
        return carried;
    }

    private static final String READ = """
            select first_offset, kind, gaps, ids from ${tables}segment
            where consumer = ? and place = ? and version between ? and ? and kind in (?, ?) order by version
            """;

    /** Follows the messages through segments. One that is forgotten, or quarantined again later, is not to be carried. */
    private void read(long from, long to, boolean isToDelete) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(READ))) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, from);
            statement.setLong(4, to);
            statement.setInt(5, Kind.QUARANTINED.number());
            statement.setInt(6, Kind.FORGOTTEN.number());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    Content content =
                            JournalSegment.unpacked(row.getInt(2), row.getLong(1), row.getBytes(4), row.getBytes(3));
                    follow(content, isToDelete && content.kind() == Kind.QUARANTINED);
                }
            }
        }
    }

    private void read(ArchiveHead oldest) throws SQLException {
        if (oldest.quarantined() == 0) {
            return;
        }
        List<Long> pages = new ArrayList<>();
        journals.archives().filters(connection, oldest, filter -> {
            for (long page : filter.quarantinedPages()) {
                pages.add(page);
            }
        });
        ArchiveHash hash = new ArchiveHash(oldest.seed());
        for (long firstHash : pages) {
            ArchivePage page = journals.archives().page(connection, oldest, firstHash);
            for (int i = 0; page != null && i < page.size(); i++) {
                if (page.kind(i) == Kind.QUARANTINED) {
                    offsets.put(new UUID(hash.high(page.hash(i), page.low(i)), page.low(i)), oldest.offset(page, i));
                }
            }
        }
    }

    private void follow(ArchiveHead later) throws SQLException {
        ArchiveHash hash = new ArchiveHash(later.seed());
        for (UUID id : List.copyOf(offsets.keySet())) {
            long low = id.getLeastSignificantBits();
            long hashed = hash.hash(id.getMostSignificantBits(), low);
            ArchivePage page = journals.archives().pageOf(connection, later, hashed);
            int found = page == null ? -1 : page.find(hashed, low);
            if (page != null
                    && found >= 0
                    && (page.kind(found) == Kind.QUARANTINED || page.kind(found) == Kind.FORGOTTEN)) {
                offsets.remove(id);
            }
        }
    }

    private void follow(Content content, boolean isAdding) {
        for (int i = 0; i < content.size(); i++) {
            UUID id = new UUID(content.ids()[2 * i], content.ids()[2 * i + 1]);
            if (isAdding) {
                offsets.put(id, content.offsets()[i]);
            } else {
                offsets.remove(id);
            }
        }
    }

    private static final String ENTRY =
            "select count(*) from ${tables}quarantine where consumer = ? and message_id = ?";

    private boolean isInQuarantine(UUID id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(ENTRY))) {
            statement.setInt(1, head.key().consumer());
            statement.setObject(2, journals.id(id));
            try (ResultSet result = statement.executeQuery()) {
                return result.next() && result.getInt(1) > 0;
            }
        }
    }

    private Content content() {
        List<Map.Entry<UUID, Long>> ascending = offsets.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.naturalOrder()))
                .toList();
        long[] ids = new long[ascending.size() * 2];
        long[] all = new long[ascending.size()];
        for (int i = 0; i < all.length; i++) {
            ids[2 * i] = ascending.get(i).getKey().getMostSignificantBits();
            ids[2 * i + 1] = ascending.get(i).getKey().getLeastSignificantBits();
            all[i] = ascending.get(i).getValue();
        }
        return new Content(Kind.QUARANTINED, ids, all);
    }

    private static final String INSERT = """
            insert into ${tables}segment (consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    /** Inserts a final segment: no claim depends on it, so it needs no proof. */
    private void insert(Append carried, long at) throws SQLException {
        Content content = carried.content();
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(INSERT))) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, carried.next().version());
            statement.setLong(4, carried.next().token());
            statement.setLong(5, at);
            statement.setLong(6, content.first());
            statement.setLong(7, content.last());
            statement.setInt(8, content.kind().number());
            statement.setBytes(9, content.packedGaps());
            statement.setBytes(10, content.packedIds());
            statement.executeUpdate();
        }
    }
}
