package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The queries for archives. They are the same for every database. */
final class ArchiveRows {

    private static final int PAGES_AT_A_TIME = 200;

    private final Tables tables;

    ArchiveRows(Tables tables) {
        this.tables = tables;
    }

    private static final String HEADS = """
            select archive, state, seed, first_version, last_version, first_micros, last_micros, first_offset, last_offset, front_offset,
                messages, quarantined
            from ${tables}archive where consumer = ? and place = ? order by first_version, last_version
            """;

    /** Returns the archives of a journal that are in a state, oldest first. */
    List<ArchiveHead> heads(Connection connection, JournalKey key, State state) throws SQLException {
        List<ArchiveHead> heads = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(HEADS))) {
            statement.setInt(1, key.consumer());
            statement.setLong(2, key.place());
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    if (result.getInt(2) == state.number()) {
                        heads.add(head(key, state, result));
                    }
                }
            }
        }
        return heads;
    }

    private static ArchiveHead head(JournalKey key, State state, ResultSet row) throws SQLException {
        return new ArchiveHead(
                key,
                row.getLong(1),
                state,
                row.getLong(3),
                new Span(
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6),
                        row.getLong(7),
                        row.getLong(8),
                        row.getLong(9),
                        row.getLong(10)),
                row.getLong(11),
                row.getLong(12));
    }

    private static final String FILTERS = """
            select hashes, quarantined, filter_bits from ${tables}archive_filter
            where consumer = ? and place = ? and archive = ? order by first_hash
            """;

    /** Reads the filters of an archive in the order of their hashes, a few at a time. */
    void filters(Connection connection, ArchiveHead head, Consumer<ArchiveFilter> each) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(FILTERS))) {
            statement.setFetchSize(4);
            setKey(statement, head);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    each.accept(ArchiveFilter.unpacked(row.getBytes(1), row.getBytes(2), row.getBytes(3)));
                }
            }
        }
    }

    private static final String PAGE = """
            select first_hash, ids, offsets, times, kinds from ${tables}archive_page
            where consumer = ? and place = ? and archive = ? and first_hash = ?
            """;

    /** Returns a page by its first hash; null if the archive is deleted. */
    @Nullable
    ArchivePage page(Connection connection, ArchiveHead head, long firstHash) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(PAGE))) {
            setKey(statement, head);
            statement.setLong(4, firstHash);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? page(row) : null;
            }
        }
    }

    /** The key of a page. */
    record PageKey(JournalKey key, long archive, long firstHash) {}

    private static final String ACTIVE_PAGES = """
            select p.first_hash, p.ids, p.offsets, p.times, p.kinds, p.consumer, p.place, p.archive
            from ${tables}archive_page p
            join ${tables}archive a on a.consumer = p.consumer and a.place = p.place and a.archive = p.archive
            where a.state = ? and (${pages})
            """;

    /** Reads those of the pages whose archives are active, in no order. A page that is missing is one of an archive that is not. */
    void activePages(Connection connection, List<PageKey> pages, BiConsumer<PageKey, ArchivePage> each)
            throws SQLException {
        Map<PageKey, List<Long>> ofArchives = new LinkedHashMap<>();
        for (PageKey page : pages) {
            ofArchives
                    .computeIfAbsent(new PageKey(page.key(), page.archive(), 0), archive -> new ArrayList<>())
                    .add(page.firstHash());
        }
        String some = ofArchives.values().stream()
                .map(hashes -> "p.consumer = ? and p.place = ? and p.archive = ? and p.first_hash in (?"
                        + ", ?".repeat(hashes.size() - 1) + ")")
                .collect(Collectors.joining(" or "));
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(ACTIVE_PAGES).replace("${pages}", some))) {
            statement.setFetchSize(PAGES_AT_A_TIME);
            int i = 0;
            statement.setInt(++i, State.ACTIVE.number());
            for (Map.Entry<PageKey, List<Long>> archive : ofArchives.entrySet()) {
                statement.setInt(++i, archive.getKey().key().consumer());
                statement.setLong(++i, archive.getKey().key().place());
                statement.setLong(++i, archive.getKey().archive());
                for (long hash : archive.getValue()) {
                    statement.setLong(++i, hash);
                }
            }
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    each.accept(
                            new PageKey(new JournalKey(row.getInt(6), row.getLong(7)), row.getLong(8), row.getLong(1)),
                            page(row));
                }
            }
        }
    }

    private static final String PAGE_OF = """
            select first_hash, ids, offsets, times, kinds from ${tables}archive_page
            where consumer = ? and place = ? and archive = ? and first_hash <= ? order by first_hash desc fetch first 1 rows only
            """;

    /** Returns the page in which a message with the hash would be; null if it would lie before the first one. */
    @Nullable
    ArchivePage pageOf(Connection connection, ArchiveHead head, long hash) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(PAGE_OF))) {
            setKey(statement, head);
            statement.setLong(4, hash);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? page(row) : null;
            }
        }
    }

    private static final String PAGES = """
            select first_hash, ids, offsets, times, kinds from ${tables}archive_page
            where consumer = ? and place = ? and archive = ? and first_hash >= ? order by first_hash fetch first ${limit} rows only
            """;

    /** Returns the next pages of an archive from a first hash on, in the order of their hashes, up to a number. */
    List<ArchivePage> pages(Connection connection, ArchiveHead head, long from, int limit) throws SQLException {
        List<ArchivePage> pages = new ArrayList<>();
        String query = tables.fill(PAGES).replace("${limit}", String.valueOf(limit));
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            setKey(statement, head);
            statement.setLong(4, from);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    pages.add(page(row));
                }
            }
        }
        return pages;
    }

    static void setKey(PreparedStatement statement, ArchiveHead head) throws SQLException {
        statement.setInt(1, head.key().consumer());
        statement.setLong(2, head.key().place());
        statement.setLong(3, head.number());
    }

    private static ArchivePage page(ResultSet row) throws SQLException {
        return new ArchivePage(row.getLong(1), row.getBytes(2), row.getBytes(3), row.getBytes(4), row.getBytes(5));
    }
}
