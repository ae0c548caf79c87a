package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredId;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Finds a message in all journals of a consumer, in the database. */
final class JournalSearch {

    private static final int READINGS = 3;

    private final StoreDatabase database;
    private final Connections connections;

    /** A message that was found, with its journal. */
    record Found(JournalKey key, Kind kind, Processed processed) {}

    /** The newest entry of a message in a journal. */
    private record Hit(JournalKey key, Kind kind, long at, long offset) {}

    JournalSearch(StoreDatabase database, Connections connections) {
        this.database = database;
        this.connections = connections;
    }

    /**
     * Returns the first journal that remembers the message, and its answer.
     *
     * @param own the segments that the running transaction appended and has not proved yet
     */
    Optional<Found> find(MessageId id, Map<String, Integer> proposed, Map<JournalTip, Kind> own) {
        return connections.onCurrent("find a message", connection -> {
            Integer consumer = database.consumer(connection, id.consumer(), proposed);
            if (consumer == null) {
                return Optional.empty();
            }
            JournalDialect journals = database.journals(connection);
            for (JournalKey key : journals.keys(connection, consumer)) {
                Hit hit = newest(connection, journals, key, StoredId.of(id.value()), own);
                if (hit != null && hit.kind() != Kind.FORGOTTEN) {
                    return Optional.of(new Found(
                            key,
                            hit.kind(),
                            StoredTime.processed(
                                    database.position(connection, key.place(), hit.offset(), proposed),
                                    hit.at(),
                                    database.now(connection))));
                }
            }
            return Optional.empty();
        });
    }

    /** Reads the segments that are not archived, and one page of each archive, until one has the message. */
    private static @Nullable Hit newest(
            Connection connection, JournalDialect journals, JournalKey key, UUID id, Map<JournalTip, Kind> own)
            throws SQLException {
        for (int reading = 0; reading < READINGS; reading++) {
            List<JournalHead> heads = journals.heads(connection, List.of(key), false);
            if (heads.isEmpty()) {
                return null;
            }
            JournalHead head = heads.get(0);
            ArchiveLoad archives = new ArchiveLoad(connection, journals.archives(), head);
            List<ArchiveHead> list = archives.list();
            Hit[] hit = new Hit[1];
            long[] last = {head.goneVersion()};
            journals.read(connection, new Range(key, head.goneVersion() + 1, Long.MAX_VALUE), false, segment -> {
                last[0] = segment.tip().version() == last[0] + 1 ? last[0] + 1 : last[0];
                Kind kind = own.getOrDefault(segment.tip(), segment.kind());
                long[] ids = segment.ids();
                for (int i = 0; i < ids.length && kind != Kind.UNPROVED; i += 2) {
                    if (ids[i] == id.getMostSignificantBits() && ids[i + 1] == id.getLeastSignificantBits()) {
                        hit[0] = new Hit(key, kind, segment.at(), segment.offsets()[i / 2]);
                    }
                }
            });
            if (hit[0] != null) {
                return hit[0];
            }
            if (list != null && last[0] >= head.version()) {
                Hit archived = archived(connection, journals, list, id);
                if (archived != null || archives.areActive(list)) {
                    return archived;
                }
            }
        }
        throw new TransientStoreException("A journal was changed while a message was sought in it; look again");
    }

    private static @Nullable Hit archived(
            Connection connection, JournalDialect journals, List<ArchiveHead> archives, UUID id) throws SQLException {
        long low = id.getLeastSignificantBits();
        for (int i = archives.size() - 1; i >= 0; i--) {
            ArchiveHead archive = archives.get(i);
            long hash = new ArchiveHash(archive.seed()).hash(id.getMostSignificantBits(), low);
            ArchivePage page = journals.archives().pageOf(connection, archive, hash);
            int found = page == null ? -1 : page.find(hash, low);
            if (page != null && found >= 0) {
                return new Hit(archive.key(), page.kind(found), archive.at(page, found), archive.offset(page, found));
            }
        }
        return null;
    }
}
