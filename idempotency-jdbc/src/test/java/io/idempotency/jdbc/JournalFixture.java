package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import io.idempotency.store.StoredMessages;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** Two processes with a journal store each, on one real database, with a consumer of their own. */
final class JournalFixture implements AutoCloseable {

    static final String PREFIX = "journal_rules_";

    final HikariDataSource dataSource;
    final CountedStatements counted;
    final JournalStore one;
    final JournalStore other;
    final JdbcTemplate jdbc;
    private final String consumer = "c-" + UUID.randomUUID();

    JournalFixture(TestDatabase database, UnaryOperator<JournalStoreBuilder> settings) {
        dataSource = database.pool(6);
        Migrated.once(dataSource, PREFIX);
        counted = new CountedStatements(dataSource);
        jdbc = new JdbcTemplate(dataSource);
        one = store(counted, settings);
        other = store(dataSource, settings);
    }

    JournalFixture(TestDatabase database) {
        this(database, settings -> settings);
    }

    private static JournalStore store(javax.sql.DataSource on, UnaryOperator<JournalStoreBuilder> settings) {
        return settings.apply(JournalStore.builder(on).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1)))
                .build();
    }

    /** Returns a second store of the first process, which takes part in the same transactions. */
    JournalStore another() {
        return store(counted, settings -> settings);
    }

    Delivery at(String id, int partition, long offset) {
        return new Delivery(new MessageId(consumer, id), new Position("orders", partition, offset));
    }

    /** The consumer of the deliveries, in one of the processes. */
    IdempotentConsumer<Delivery> consumer(JournalStore store) {
        return IdempotentConsumer.<Delivery>named(consumer)
                .store(store)
                .messageId(delivery -> Optional.of(delivery.id().value()))
                .reader(READER)
                .build();
    }

    private static final MessageReader<Delivery> READER = new MessageReader<>() {

        @Override
        public Position position(Delivery delivery) {
            return delivery.position();
        }

        @Override
        public Payload payload(Delivery delivery) {
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    };

    /** Claims in a transaction that commits, prepared as the flow does it. */
    static List<Status> claimed(JournalStore store, Delivery... deliveries) {
        List<Claim> claims = new ArrayList<>();
        store.prepare(List.of(deliveries));
        store.transactions().inTransaction(() -> claims.addAll(store.claim(List.of(deliveries))));
        return claims.stream().map(Claim::status).toList();
    }

    /** Begins transactions with an isolation level of their own. */
    TransactionTemplate isolated(JournalStore store, int level) {
        TransactionTemplate template = new TransactionTemplate(
                new org.springframework.jdbc.support.JdbcTransactionManager(store == one ? counted : dataSource));
        template.setIsolationLevel(level);
        return template;
    }

    /** Another process. */
    JournalStore store(UnaryOperator<JournalStoreBuilder> settings) {
        return store(dataSource, settings);
    }

    List<Integer> versions() {
        return ofHeads("version");
    }

    List<Integer> horizons() {
        return ofHeads("horizon_version");
    }

    long segments() {
        Long segments = jdbc.queryForObject(
                "select count(*) from " + PREFIX + "segment s join " + PREFIX
                        + "name n on n.id = s.consumer where n.name = ?",
                Long.class,
                consumer);
        return segments == null ? 0 : segments;
    }

    /** How many partitions the topic has, as each head tells. */
    List<Integer> partitions() {
        return ofHeads("partitions");
    }

    private List<Integer> ofHeads(String column) {
        return jdbc.queryForList(
                "select j." + column + " from " + PREFIX + "journal j join " + PREFIX
                        + "name n on n.id = j.consumer where n.name = ? order by j.place",
                Integer.class,
                consumer);
    }

    /** Changes this consumer's journals in the database, as a failover that loses commits does. */
    void corrupt(String table, String change) {
        jdbc.update(
                "update " + PREFIX + table + " set " + change + " where consumer = (select id from " + PREFIX
                        + "name where name = ?)",
                consumer);
    }

    /** Inserts a segment with one message into the journal of partition 0. */
    void insertSegment(long version, String id) {
        UUID number = StoredId.of(at(id, 0, 0).id().value());
        long[] ids = {number.getMostSignificantBits(), number.getLeastSignificantBits()};
        Content content = new Content(Kind.PROCESSED, ids, new long[] {1});
        jdbc.update(
                "insert into " + PREFIX
                        + "segment (consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids)"
                        + " select consumer, place, ?, 1, at_micros, 1, 1, 0, ?, ? from " + PREFIX
                        + "journal where place = (select min(j.place) from " + PREFIX + "journal j join " + PREFIX
                        + "name n on n.id = j.consumer where n.name = ?) and consumer = (select id from " + PREFIX
                        + "name where name = ?)",
                version,
                content.packedGaps(),
                content.packedIds(),
                consumer,
                consumer);
    }

    /** The archives of the only journal. */
    ArchiveList archives() {
        try (Connection connection = dataSource.getConnection()) {
            JournalDialect journals =
                    new StoreDatabase(new Tables("", PREFIX), Duration.ofSeconds(1)).journals(connection);
            Integer number =
                    jdbc.queryForObject("select id from " + PREFIX + "name where name = ?", Integer.class, consumer);
            JournalKey key =
                    journals.keys(connection, number == null ? 0 : number).get(0);
            JournalHead head = journals.heads(connection, List.of(key), false).get(0);
            ArchiveList archives = new ArchiveLoad(connection, journals.archives(), head).read(ArchiveList.NONE);
            return archives == null ? ArchiveList.NONE : archives;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    long forget(MessageRange range) {
        return inBatches(after -> one.messages().forget(range, after, 1));
    }

    long count(MessageRange range) {
        return inBatches(after -> one.messages().count(range, after, 1));
    }

    private static long inBatches(Function<String, StoredMessages.Batch> batches) {
        long messages = 0;
        Optional<String> after = Optional.of("");
        while (after.isPresent()) {
            StoredMessages.Batch batch = batches.apply(after.get());
            messages += batch.messages();
            after = batch.next();
        }
        return messages;
    }

    void delete(String table, String condition) {
        jdbc.update(
                "delete from " + PREFIX + table + " where " + condition + " and consumer = (select id from " + PREFIX
                        + "name where name = ?)",
                consumer);
    }

    @Override
    public void close() {
        dataSource.close();
    }
}
