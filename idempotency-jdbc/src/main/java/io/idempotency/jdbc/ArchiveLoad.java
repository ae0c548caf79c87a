package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.State;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads which archives a journal has, and their filters. Not thread-safe. */
final class ArchiveLoad {

    private final Connection connection;
    private final ArchiveRows rows;
    private final JournalHead head;
    private final Map<Long, ArchiveHash> hashes = new HashMap<>();

    ArchiveLoad(Connection connection, ArchiveRows rows, JournalHead head) {
        this.connection = connection;
        this.rows = rows;
        this.head = head;
    }

    /**
     * Returns the archives, oldest first; null if they and the head were changed in between. Then they are not all versions between the horizon and what is archived. An
     * old snapshot shows neither, so it shows no change.
     */
    @Nullable
    List<ArchiveHead> list() throws SQLException {
        if (head.archivedVersion() == 0) {
            return List.of();
        }
        List<ArchiveHead> list = rows.heads(connection, head.key(), State.ACTIVE);
        long last = head.horizonVersion();
        for (ArchiveHead archive : list) {
            if (archive.span().firstVersion() > last + 1) {
                return null;
            }
            last = Math.max(last, archive.span().lastVersion());
        }
        return last < head.archivedVersion() ? null : list;
    }

    /** Reads the filters of an archive, unless it is among the known ones. */
    ArchiveFilters read(ArchiveHead archive, ArchiveList known) throws SQLException {
        ArchiveFilters same = known.numbered(archive.number());
        if (same != null) {
            hashes.put(archive.seed(), same.hash());
            return same;
        }
        List<ArchiveFilter> filters = new ArrayList<>();
        rows.filters(connection, archive, filters::add);
        return new ArchiveFilters(
                archive,
                hashes.computeIfAbsent(archive.seed(), ArchiveHash::new),
                filters.toArray(new ArchiveFilter[0]));
    }

    /**
     * Returns whether all filters were there when they were read: they are deleted after their archive is dead.
     *
     * @param list the archives that were read
     */
    boolean areActive(List<ArchiveHead> list) throws SQLException {
        if (list.isEmpty()) {
            return true;
        }
        List<Long> active = rows.heads(connection, head.key(), State.ACTIVE).stream()
                .map(ArchiveHead::number)
                .toList();
        return active.containsAll(list.stream().map(ArchiveHead::number).toList());
    }

    /** Returns the archives with their filters; null if they were changed meanwhile. */
    @Nullable
    ArchiveList read(ArchiveList known) throws SQLException {
        List<ArchiveHead> list = list();
        if (list == null) {
            return null;
        }
        List<ArchiveFilters> archives = new ArrayList<>();
        for (ArchiveHead archive : list) {
            archives.add(read(archive, known));
        }
        return areActive(list) ? new ArchiveList(archives) : null;
    }
}
