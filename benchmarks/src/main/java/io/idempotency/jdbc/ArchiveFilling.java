package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Fills journals with archives of random ids. A store's own class builds them, from ids that are drawn in the order of archives instead of segments. */
public final class ArchiveFilling {

    private static final int THREADS = 2;

    private final Connections connections;
    private final StoreDatabase database;
    private final Tables tables;

    /**
     * Names tables.
     *
     * @param prefix the prefix of the table names
     */
    public ArchiveFilling(DataSource dataSource, String prefix) {
        this.connections = new Connections(JdbcTransactions.on(dataSource));
        this.tables = new Tables("", prefix);
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
    }

    /**
     * What is filled: the journals of a stream for a consumer, one for each partition, which are empty so far.
     *
     * @param messages of each journal
     * @param archives of each journal
     * @param from the time of the first message
     * @param span the time from the first message to the last
     * @param segment how many messages a version stands for
     * @param firstOffset the offset of version 0
     */
    public record Journal(
            String consumer,
            String stream,
            int partitions,
            long messages,
            int archives,
            Instant from,
            Duration span,
            int segment,
            long firstOffset) {

        private Span span(int archive) {
            long first = versions(archive) + 1;
            long last = versions(archive + 1);
            long begin = StoredTime.micros(from);
            long all = StoredTime.micros(span);
            return new Span(
                    first,
                    last,
                    begin + all / archives * archive,
                    begin + all / archives * (archive + 1),
                    firstOffset + first * segment,
                    firstOffset + (last + 1) * segment - 1,
                    firstOffset + first * segment);
        }

        /** Returns how many versions a number of archives has. */
        private long versions(int count) {
            long all = (messages + segment - 1) / segment;
            return all * count / archives;
        }
    }

    /** Fills all journals, two at a time. */
    public void fill(Journal journal) throws InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<?>> running = new ArrayList<>();
            IntStream.range(0, journal.partitions())
                    .forEach(partition -> running.add(threads.submit(() -> fill(journal, partition))));
            for (Future<?> each : running) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("Cannot fill archives", e);
        } finally {
            threads.shutdownNow();
        }
    }

    private void fill(Journal journal, int partition) {
        long place = (long) number(journal.stream()) << Integer.SIZE | partition;
        JournalKey key = new JournalKey(number(journal.consumer()), place);
        for (int i = 0; i < journal.archives(); i++) {
            RandomMessages messages = new RandomMessages(key, journal.span(i), journal.segment());
            connections.alone("append to a journal", messages::append);
            Journals journals = (Journals) connections.alone("look at the database", database::journals);
            if (!new ArchiveBuild(connections, database, journals, key, () -> true).run(messages)) {
                throw new IllegalStateException("Somebody else archives the journal of partition " + partition);
            }
        }
    }

    private int number(String name) {
        return connections.alone(
                "read a name", connection -> Objects.requireNonNull(database.consumer(connection, name, Map.of())));
    }

    /** Random messages in the order of their hashes: the range of all hashes is divided into equal parts, and each has its share of them. */
    private final class RandomMessages implements ArchiveSource {

        private static final int PART = 1000;

        private final SplittableRandom random = new SplittableRandom();
        private final JournalKey key;
        private final Span span;
        private final long messages;
        private final long step;
        private long drawn;
        private long[] hashes = new long[0];
        private int next;

        RandomMessages(JournalKey key, Span span, int segment) {
            this.key = key;
            this.span = span;
            this.messages = (span.lastVersion() - span.firstVersion() + 1) * segment;
            this.step = Long.divideUnsigned(-1, messages);
        }

        private static final String APPEND =
                "update ${tables}journal set version = ?, token = ?, at_micros = ? where consumer = ? and place = ?";

        /** Moves the head as if the messages had been appended. */
        boolean append(Connection connection) throws SQLException {
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(APPEND))) {
                statement.setLong(1, span.lastVersion());
                statement.setLong(2, span.lastVersion());
                statement.setLong(3, span.lastAt());
                statement.setInt(4, key.consumer());
                statement.setLong(5, key.place());
                return statement.executeUpdate() == 1;
            }
        }

        @Override
        public boolean isThere(Connection connection, JournalHead head) {
            return head.version() == span.lastVersion() && head.archivedVersion() == span.firstVersion() - 1;
        }

        @Override
        public Contents open(Connection connection, ArchiveHash hash) {
            return new Contents(span, messages);
        }

        @Override
        public @Nullable Message next(Connection connection) {
            if (next == hashes.length) {
                if (drawn == messages) {
                    return null;
                }
                draw();
            }
            return new Message(
                    hashes[next++],
                    random.nextLong(),
                    random.nextLong(span.firstOffset(), span.lastOffset() + 1),
                    random.nextLong(span.firstAt(), span.lastAt() + 1),
                    Kind.PROCESSED);
        }

        private void draw() {
            int part = (int) Math.min(PART, messages - drawn);
            long from = Long.MIN_VALUE + drawn * step;
            drawn += part;
            hashes = random.longs(part, from, Long.MIN_VALUE + drawn * step)
                    .sorted()
                    .toArray();
            next = 0;
        }

        private static final String ARCHIVED =
                "update ${tables}journal set archived_version = ? where consumer = ? and place = ?";

        @Override
        public void replace(Connection connection, JournalHead head) throws SQLException {
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(ARCHIVED))) {
                statement.setLong(1, span.lastVersion());
                statement.setInt(2, key.consumer());
                statement.setLong(3, key.place());
                statement.executeUpdate();
            }
        }
    }
}
