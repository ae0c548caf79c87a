package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** A journal in a real database that is written row by row, and what it has to say at any time. */
final class ArchiveFixture implements AutoCloseable {

    static final String PREFIX = "archives_";
    static final Tables TABLES = new Tables("", PREFIX);
    static final long RETENTION = StoredTime.micros(Duration.ofHours(1));
    private static final int CONSUMER = 1;
    private static final int STREAM = 2;
    private static final int PARTITION = 3;

    final HikariDataSource pool;
    final JdbcTemplate jdbc;
    final JournalKey key = new JournalKey(CONSUMER, ((long) STREAM << 32) | PARTITION);
    /** The newest entry of each message. */
    final Map<UUID, Said> history = new HashMap<>();

    private final SplittableRandom random = new SplittableRandom(11);
    private final List<UUID> ids = new ArrayList<>();
    private final long began = StoredTime.micros(Instant.now()) - RETENTION / 2;
    private long at = began;
    private long version;
    private long offset = 100;

    /** What a journal says of a message. */
    record Said(Kind kind, long offset, long at) {}

    ArchiveFixture(TestDatabase database) {
        pool = database.pool(8);
        jdbc = new JdbcTemplate(pool);
        Migrated.once(pool, PREFIX);
        for (String table :
                List.of("archive", "archive_page", "archive_filter", "segment", "journal", "quarantine", "name")) {
            jdbc.update("delete from " + PREFIX + table);
        }
        String name = "insert into " + PREFIX + "name (id, name, journal_retention_micros) values (?, ?, ?)";
        jdbc.update(name, CONSUMER, "billing", RETENTION);
        jdbc.update(name, STREAM, "orders", 0);
        jdbc.update(
                "insert into " + PREFIX
                        + "journal (consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions)"
                        + " values (?, ?, 0, 0, 0, 0, -1, 1)",
                key.consumer(),
                key.place());
    }

    /** Appends segments as consumers do: most of new messages, some of operators, replays and early commits. */
    void append(int segments) {
        for (int i = 0; i < segments; i++) {
            int size = 1 + random.nextInt(6);
            at += random.nextInt(2_000_000);
            int dice = random.nextInt(20);
            if (dice == 0 && ids.size() > 10) {
                append(Kind.FORGOTTEN, known(1));
            } else if (dice == 1 && ids.size() > 10) {
                append(Kind.QUARANTINED, known(1));
            } else if (dice == 2 && ids.size() > 10) {
                append(Kind.PROCESSED, known(2)); // a replay: older offsets
            } else if (dice == 3) {
                append(Kind.UNPROVED, fresh(size));
            } else if (dice == 4) {
                append(Kind.EXPIRED, fresh(size));
            } else if (dice == 5 && ids.size() > 10) {
                append(Kind.DROPPED, known(1));
            } else {
                offset += random.nextInt(4) == 0 ? random.nextInt(300) : 0;
                append(Kind.PROCESSED, fresh(size));
            }
        }
    }

    private Map<Long, UUID> fresh(int size) {
        Map<Long, UUID> messages = new HashMap<>();
        for (int i = 0; i < size; i++) {
            UUID id = new UUID((random.nextLong() & ~0xF000L) | 0x4000L, (random.nextLong() >>> 2) | 1L << 63);
            ids.add(id);
            messages.put(offset++, id);
        }
        return messages;
    }

    /** Returns messages from anywhere, with their own offsets. */
    private Map<Long, UUID> known(int size) {
        Map<Long, UUID> messages = new HashMap<>();
        for (int i = 0; i < size; i++) {
            UUID id = ids.get(random.nextInt(ids.size()));
            Said said = history.get(id);
            messages.put(said == null ? offset : said.offset(), id);
        }
        return messages;
    }

    /** Appends a segment. */
    void append(Kind kind, Map<Long, UUID> messages) {
        long[] offsets =
                messages.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
        long[] numbers = new long[offsets.length * 2];
        for (int i = 0; i < offsets.length; i++) {
            UUID id = Objects.requireNonNull(messages.get(offsets[i]));
            numbers[2 * i] = id.getMostSignificantBits();
            numbers[2 * i + 1] = id.getLeastSignificantBits();
            if (kind != Kind.UNPROVED) {
                history.put(id, new Said(kind, offsets[i], at));
            }
        }
        insert(List.of(new Content(kind, numbers, offsets)));
    }

    /** Appends segments of new processed messages, with random ids and without a look at what they are. */
    void fill(int segments, int size) {
        List<Content> contents = new ArrayList<>();
        for (int i = 0; i < segments; i++) {
            long[] offsets = new long[size];
            Arrays.setAll(offsets, j -> offset + j);
            offset += size;
            contents.add(new Content(Kind.PROCESSED, random.longs(2L * size).toArray(), offsets));
        }
        insert(contents);
    }

    private void insert(List<Content> contents) {
        String insert = "insert into " + PREFIX
                + "segment (consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids)"
                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        long token = random.nextLong();
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement(insert)) {
                for (Content content : contents) {
                    statement.setInt(1, key.consumer());
                    statement.setLong(2, key.place());
                    statement.setLong(3, ++version);
                    statement.setLong(4, token);
                    statement.setLong(5, at);
                    statement.setLong(6, content.first());
                    statement.setLong(7, content.last());
                    statement.setInt(8, content.kind().number());
                    statement.setBytes(9, content.packedGaps());
                    statement.setBytes(10, content.packedIds());
                    statement.addBatch();
                }
                statement.executeBatch();
            }
            connection.commit();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        jdbc.update(
                "update " + PREFIX
                        + "journal set version = ?, token = ?, at_micros = ? where consumer = ? and place = ?",
                version,
                token,
                at,
                key.consumer(),
                key.place());
    }

    /** Puts the messages into quarantine whose newest entry says so. */
    void fillQuarantine() {
        JdbcQuarantine quarantine = JdbcQuarantine.on(pool).tablePrefix(PREFIX);
        history.forEach((id, said) -> {
            if (said.kind() == Kind.QUARANTINED) {
                Delivery delivery = new Delivery(
                        new MessageId("billing", id.toString()), new Position("orders", PARTITION, said.offset()));
                quarantine.save(new QuarantinedMessage(
                        delivery,
                        Payload.none(Payload.Origin.POSITION_ONLY),
                        new QuarantineFailure("some.Failure", "A", "text"),
                        1));
            }
        });
    }

    /** Lets time pass between two segments. */
    void pass(Duration duration) {
        at += StoredTime.micros(duration);
    }

    ArchiveUpkeep upkeep(int stayingMessages) {
        return upkeep(pool, stayingMessages);
    }

    static ArchiveUpkeep upkeep(DataSource on, int stayingMessages) {
        return new ArchiveUpkeep(
                new Connections(JdbcTransactions.on(on)),
                new StoreDatabase(TABLES, Duration.ofSeconds(1)),
                Retentions.ofJournals(TABLES),
                TABLES,
                stayingMessages);
    }

    JournalStore store() {
        return JournalStore.builder(pool)
                .tablePrefix(PREFIX)
                .claimTimeout(Duration.ofSeconds(1))
                .retention(Duration.ofHours(1))
                .build();
    }

    /** Statements on the journal. */
    @FunctionalInterface
    interface Reading<T> {
        T read(Connection connection, JournalDialect journals) throws SQLException;
    }

    <T> T read(Reading<T> reading) {
        try (Connection connection = pool.getConnection()) {
            StoreDatabase database = new StoreDatabase(TABLES, Duration.ofSeconds(1));
            return reading.read(connection, database.journals(connection));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    JournalHead head() {
        return read((connection, journals) ->
                journals.heads(connection, List.of(key), false).get(0));
    }

    /** Returns the active archives, oldest first. */
    List<ArchiveHead> archives() {
        return read((connection, journals) -> journals.archives().heads(connection, key, State.ACTIVE));
    }

    long count(String table) {
        Long count = jdbc.queryForObject("select count(*) from " + PREFIX + table, Long.class);
        return count == null ? 0 : count;
    }

    /** Returns what archives and segments say together. */
    Map<UUID, Said> said() {
        return read((connection, journals) -> {
            JournalHead head = journals.heads(connection, List.of(key), false).get(0);
            Map<UUID, Said> said = new HashMap<>();
            for (ArchiveHead archive : journals.archives().heads(connection, key, State.ACTIVE)) {
                assertThat(archive.span().firstVersion()).isGreaterThan(head.horizonVersion());
                said.putAll(said(connection, journals, archive));
            }
            journals.read(connection, new Range(key, head.goneVersion() + 1, head.version()), false, segment -> {
                for (int i = 0; i < segment.offsets().length && segment.kind() != Kind.UNPROVED; i++) {
                    said.put(
                            new UUID(segment.ids()[2 * i], segment.ids()[2 * i + 1]),
                            new Said(segment.kind(), segment.offsets()[i], segment.at()));
                }
            });
            return said;
        });
    }

    /** Returns what an archive says, and compares header, pages and filters. */
    private static Map<UUID, Said> said(Connection connection, JournalDialect journals, ArchiveHead archive)
            throws SQLException {
        ArchiveHash hash = new ArchiveHash(archive.seed());
        Map<UUID, Said> said = new HashMap<>();
        List<ArchiveFilter> filters = new ArrayList<>();
        journals.archives().filters(connection, archive, filters::add);
        ArchiveFilters all = new ArchiveFilters(archive, hash, filters.toArray(new ArchiveFilter[0]));
        List<Long> marked = new ArrayList<>();
        for (ArchivePage page : journals.archives().pages(connection, archive, Long.MIN_VALUE, Integer.MAX_VALUE)) {
            SoughtKeys sought = new SoughtKeys(
                    IntStream.range(0, page.size()).mapToLong(page::hash).toArray());
            all.ask(sought);
            for (int i = 0; i < page.size(); i++) {
                assertThat(sought.isMaybe(i)).isTrue();
                assertThat(all.pageOf(page.hash(i))).isEqualTo(page.firstHash());
                UUID id = new UUID(hash.high(page.hash(i), page.low(i)), page.low(i));
                said.put(id, new Said(page.kind(i), archive.offset(page, i), archive.at(page, i)));
            }
            if (page.hasQuarantined()) {
                marked.add(page.firstHash());
            }
        }
        assertThat(archive.messages()).isEqualTo(said.size());
        assertThat(archive.quarantined())
                .isEqualTo(said.values().stream()
                        .filter(each -> each.kind() == Kind.QUARANTINED)
                        .count());
        assertThat(filters.stream()
                        .flatMapToLong(filter -> Arrays.stream(filter.quarantinedPages()))
                        .boxed())
                .containsExactlyElementsOf(marked);
        return said;
    }

    /** Requires that the journal says what was written into it. Times in archives are right to the given part of a second. */
    void requireHistory(Duration inaccuracy) {
        requireSaid(history, inaccuracy);
    }

    void requireSaid(Map<UUID, Said> expected, Duration inaccuracy) {
        Map<UUID, Said> said = said();
        assertThat(said.keySet()).isEqualTo(expected.keySet());
        said.forEach((id, found) -> {
            Said wanted = Objects.requireNonNull(expected.get(id));
            assertThat(found.kind()).as("%s", id).isEqualTo(wanted.kind());
            assertThat(found.offset()).as("%s", id).isEqualTo(wanted.offset());
            assertThat(Math.abs(found.at() - wanted.at()))
                    .as("%s", id)
                    .isLessThanOrEqualTo(StoredTime.micros(inaccuracy));
        });
    }

    /** Requires that nothing is left but active archives and the segments behind them. */
    void requireClean() {
        assertThat(count("archive")).isEqualTo(archives().size());
        assertThat(count("archive_page where archive not in (select archive from " + PREFIX + "archive)"))
                .isZero();
        assertThat(count("archive_filter where archive not in (select archive from " + PREFIX + "archive)"))
                .isZero();
        JournalHead head = head();
        assertThat(count("segment")).isEqualTo(head.version() - head.goneVersion());
    }

    @Override
    public void close() {
        pool.close();
    }
}
