package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** Moves into archives whatever it can, down to a single message: all segments of a journal but the last one, which may still be proved. */
final class Archiver {

    /** So many archives become one. */
    private static final int MANY = 3;

    private int built;

    private final Connections connections;
    private final StoreDatabase database;
    private final Tables tables;

    Archiver(DataSource dataSource, String prefix) {
        this.tables = new Tables("", prefix);
        this.connections = new Connections(JdbcTransactions.on(dataSource));
        this.database = new StoreDatabase(tables, Duration.ofSeconds(1));
    }

    /** Archives all journals. One that others lock stays as it is. */
    void run() {
        for (JournalKey key : keys()) {
            try {
                source(key).ifPresent(source -> build(key, source));
                merged(key).ifPresent(source -> build(key, source));
            } catch (TransientStoreException e) {
                // It stays as it is until the next run.
            }
        }
        new ArchiveCleaning(connections, database, tables).run(() -> true);
    }

    private List<JournalKey> keys() {
        return connections.alone("read journals", connection -> {
            List<JournalKey> keys = new ArrayList<>();
            try (var statement = connection.createStatement();
                    var row = statement.executeQuery(tables.fill(
                            "select consumer, place from ${tables}journal where version > horizon_version"))) {
                while (row.next()) {
                    keys.add(new JournalKey(row.getInt(1), row.getLong(2)));
                }
            }
            return keys;
        });
    }

    private Optional<ArchiveSource> source(JournalKey key) {
        return connections.alone("look at a journal", connection -> {
            Journals journals = (Journals) database.journals(connection);
            List<JournalHead> heads = journals.heads(connection, List.of(key), false);
            if (heads.isEmpty() || heads.get(0).version() <= heads.get(0).goneVersion() + 1) {
                return Optional.empty();
            }
            JournalHead head = heads.get(0);
            long before = journals.archives().heads(connection, key, State.ACTIVE).stream()
                    .mapToLong(archive -> archive.span().lastOffset())
                    .reduce(head.horizonOffset(), Math::max);
            return Optional.of(new ArchivedSegments(
                    journals, new Range(key, head.goneVersion() + 1, head.version() - 1), before, 16));
        });
    }

    private Optional<ArchiveSource> merged(JournalKey key) {
        return connections.alone("look at archives", connection -> {
            Journals journals = (Journals) database.journals(connection);
            List<ArchiveHead> archives = journals.archives().heads(connection, key, State.ACTIVE);
            return archives.size() < MANY
                    ? Optional.empty()
                    : Optional.of(new ArchivedArchives(journals, archives.subList(0, 2)));
        });
    }

    private void build(JournalKey key, ArchiveSource source) {
        Journals journals =
                connections.onCurrent("look at the database", connection -> (Journals) database.journals(connection));
        built += new ArchiveBuild(connections, database, journals, key, () -> true).run(source) ? 1 : 0;
    }

    /** Returns how many archives it has built. */
    int built() {
        return built;
    }
}
