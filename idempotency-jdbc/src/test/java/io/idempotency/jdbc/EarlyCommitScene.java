package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.BatchHandler;
import io.idempotency.BatchResult;
import io.idempotency.ConsumptionListener;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.MessageReader;
import io.idempotency.TransactionPer;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * Five messages of one partition, and a handler that writes two rows for each. In the middle one it commits between the two, and then returns, fails
 * or dies.
 */
final class EarlyCommitScene implements AutoCloseable {

    static final List<String> MESSAGES = List.of("a", "b", "c", "d", "e");
    static final String BREAKER = "c";
    static final int ATTEMPTS = 2;

    private static final String PREFIX = "early_";
    private static final int MOST_CALLS = 100;

    /** Where it happens. */
    record Cell(
            String url,
            boolean isJournal,
            boolean isManagedByUser,
            Shape shape,
            Fate fate,
            EarlyCommit way,
            String name) {}

    /** The messages that are handled together. */
    enum Shape {
        ONE,
        CHUNK,
        BATCH
    }

    /** The end of the handler after its commit. */
    enum Fate {
        RETURNS,
        FAILS,
        DIES
    }

    private record Message(String id, long offset) {}

    private final Cell cell;
    private final HikariDataSource pool;
    private final DataSource joined;
    private final JdbcTemplate jdbc;
    private final JdbcQuarantine quarantine;
    private final IdempotentConsumer<Message> consumer;
    private final AtomicInteger told = new AtomicInteger();

    EarlyCommitScene(Cell cell) {
        this.cell = cell;
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(cell.url());
        config.setMaximumPoolSize(2);
        config.setMinimumIdle(0);
        pool = new HikariDataSource(config);
        jdbc = new JdbcTemplate(pool);
        Migrated.once(pool, PREFIX);
        jdbc.execute(
                "create table if not exists early_effect (cell varchar(100), message varchar(10), part varchar(10))");
        jdbc.execute("create table if not exists early_staging (id integer)");
        joined = JdbcTransactions.on(pool).dataSource();
        quarantine = JdbcQuarantine.on(pool).tablePrefix(PREFIX);
        consumer = consumer();
    }

    private IdempotentConsumer<Message> consumer() {
        return IdempotentConsumer.<Message>named(cell.name())
                .store(store())
                .messageId(message -> Optional.of(message.id()))
                .reader(new MessageReader<>() {
                    @Override
                    public Position position(Message message) {
                        return new Position("orders", 0, message.offset());
                    }

                    @Override
                    public Payload payload(Message message) {
                        return Payload.none(Payload.Origin.POSITION_ONLY);
                    }
                })
                .transactionPer(cell.shape() == Shape.ONE ? TransactionPer.RECORD : TransactionPer.POLL)
                .failures(FailurePolicy.quarantineAfter(ATTEMPTS).backOff(Duration.ZERO, Duration.ZERO))
                .quarantine(quarantine)
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(io.idempotency.Consumption consumption) {}

                    @Override
                    public void onEarlyCommit(Delivery first) {
                        told.incrementAndGet();
                    }
                })
                .build();
    }

    private ClaimStore store() {
        if (cell.isJournal()) {
            var builder = JournalStore.builder(pool).tablePrefix(PREFIX);
            return (cell.isManagedByUser() ? builder.transactionManager(new JdbcTransactionManager(pool)) : builder)
                    .build();
        }
        var builder = TableStore.builder(pool).tablePrefix(PREFIX);
        return (cell.isManagedByUser() ? builder.transactionManager(new JdbcTransactionManager(pool)) : builder)
                .build();
    }

    /** Delivers the messages until they are settled. */
    void play() {
        List<Message> open = new ArrayList<>();
        for (int i = 0; i < MESSAGES.size(); i++) {
            open.add(new Message(MESSAGES.get(i), i));
        }
        for (int call = 0; !open.isEmpty(); call++) {
            if (call == MOST_CALLS) {
                throw new AssertionError(open + " are not settled after " + call + " calls");
            }
            BatchResult result = consume(open);
            List<Message> left = new ArrayList<>();
            for (int i = 0; i < open.size(); i++) {
                if (!result.outcomes().get(i).isSettled()) {
                    left.add(open.get(i));
                }
            }
            open = left;
        }
    }

    private BatchResult consume(List<Message> messages) {
        MessageHandler<Message> handler = (message, claim) -> handle(message.id());
        BatchHandler<Message> batches = (batch, claims) -> {
            for (Message message : batch) {
                handle(message.id());
            }
        };
        return cell.shape() == Shape.BATCH
                ? consumer.consumeBatch(messages, batches)
                : consumer.consumeAll(messages, handler);
    }

    private void handle(String id) throws SQLException {
        write(id, "begin");
        if (id.equals(BREAKER)) {
            try (Connection connection = joined.getConnection()) {
                cell.way().run(connection, "early_staging");
            }
            if (cell.fate() == Fate.DIES) {
                EarlyCommitLife.die();
            }
        }
        write(id, "rest");
        if (id.equals(BREAKER) && cell.fate() == Fate.FAILS) {
            throw new IllegalStateException("the handler fails behind its commit");
        }
    }

    private void write(String id, String part) throws SQLException {
        try (Connection connection = joined.getConnection();
                PreparedStatement insert = connection.prepareStatement(
                        "insert into early_effect (cell, message, part) values (?, ?, ?)")) {
            insert.setString(1, cell.name());
            insert.setString(2, id);
            insert.setString(3, part);
            insert.executeUpdate();
        }
    }

    /** Returns how often a part of the effect of a message is there. */
    int count(String id, String part) {
        Integer count = jdbc.queryForObject(
                "select count(*) from early_effect where cell = ? and message = ? and part = ?",
                Integer.class,
                cell.name(),
                id,
                part);
        return count == null ? 0 : count;
    }

    /** Returns why a message is in quarantine. */
    Optional<String> quarantined(String id) {
        return quarantine
                .find(new MessageId(cell.name(), id))
                .map(kept -> kept.message().failure().text());
    }

    /** Returns how often the listener was told that the handler ended its transaction. */
    int told() {
        return told.get();
    }

    /** Lets time pass for the stored rows. */
    void passTime(Duration duration) {
        jdbc.update("update early_message set at_micros = at_micros - ?", duration.toNanos() / 1000);
    }

    @Override
    public void close() {
        consumer.close();
        pool.close();
    }
}
