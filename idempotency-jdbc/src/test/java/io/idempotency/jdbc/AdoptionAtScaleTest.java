package io.idempotency.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.kafka.KafkaRecords;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * A table is adopted while a consumer gets a thousand messages a second; then all of its messages are sent again. {@code -Drows=10000000} sets its size. Prints
 * the figures.
 */
@Tag("rule-8.11")
class AdoptionAtScaleTest {

    private static final int ROWS = Integer.getInteger("rows", 20_000);
    private static final int POLL = 500;
    private static final int EACH_TICK = 100;
    private static final long TICK_MILLIS = 100;

    private final HikariDataSource pool = TestDatabase.POSTGRESQL.pool(8);
    private final JdbcTemplate jdbc = new JdbcTemplate(pool);
    private final TableStore store =
            TableStore.builder(pool).tablePrefix("scale_").build();
    private final IdempotentConsumer<ConsumerRecord<String, String>> consumer =
            KafkaRecords.<String, String>consumer("scale").store(store).build();
    private final JdbcTransactions transactions = (JdbcTransactions) store.transactions();
    private long offset;
    private long slowestNanos;

    @Test
    void adoptsBesideAConsumerAndDoublesNothing() throws Exception {
        Schema.on(pool).tablePrefix("scale_").create();
        jdbc.execute("create table scale_processed (message_id varchar(100) primary key, processed_at timestamptz)");
        jdbc.execute("create table scale_effect (message_id varchar(100))");
        jdbc.update("insert into scale_processed select 'old-' || n, now() - n * interval '10 ms'"
                + " from generate_series(1, " + ROWS + ") n");
        ScheduledExecutorService arrivals = Executors.newSingleThreadScheduledExecutor();
        ScheduledFuture<?> arriving =
                arrivals.scheduleAtFixedRate(this::consumeNew, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);

        long began = System.nanoTime();
        Adopted adopted = Adoption.into(store)
                .from(pool, "select 'scale', message_id, processed_at from scale_processed")
                .run();
        long nanos = System.nanoTime() - began;
        arriving.cancel(false);
        arrivals.shutdown();
        assertThat(arrivals.awaitTermination(1, TimeUnit.MINUTES)).isTrue();

        assertThat(adopted.adopted()).isEqualTo(ROWS);
        long consumed = offset;
        print(nanos, consumed);
        for (long from = 1; from <= ROWS; from += POLL) {
            assertThat(consume("old-", from, Math.min(POLL, ROWS - from + 1))).containsOnly(Outcome.DUPLICATE);
        }
        assertThat(count("select count(*) from scale_effect")).isEqualTo(consumed);
        assertThat(count("select count(distinct message_id) from scale_effect where message_id like 'new-%'"))
                .isEqualTo(consumed);
        pool.close();
    }

    private void consumeNew() {
        long before = System.nanoTime();
        assertThat(consume("new-", offset, EACH_TICK)).containsOnly(Outcome.PROCESSED);
        slowestNanos = Math.max(slowestNanos, System.nanoTime() - before);
    }

    private List<Outcome> consume(String prefix, long from, long count) {
        List<ConsumerRecord<String, String>> records = LongStream.range(from, from + count)
                .mapToObj(n -> record(prefix + n))
                .toList();
        return consumer.consumeAll(records, (record, claim) -> handle(record.value()))
                .outcomes();
    }

    private ConsumerRecord<String, String> record(String id) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 0, offset++, "key", id);
        record.headers().add("message-id", id.getBytes(UTF_8));
        return record;
    }

    private void handle(String id) throws SQLException {
        try (Connection connection = transactions.dataSource().getConnection();
                PreparedStatement effect =
                        connection.prepareStatement("insert into scale_effect (message_id) values (?)")) {
            effect.setString(1, id);
            effect.executeUpdate();
        }
    }

    private long count(String query) {
        return Objects.requireNonNull(jdbc.queryForObject(query, Long.class));
    }

    private void print(long nanos, long consumed) {
        double seconds = nanos / 1e9;
        long peak = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(MemoryPoolMXBean::isCollectionUsageThresholdSupported)
                .mapToLong(each -> each.getPeakUsage().getUsed())
                .sum();
        System.out.printf(
                "%d rows adopted in %.1f s, %.0f a second, while %.0f messages a second were consumed, the slowest %d of them in %d ms;"
                        + " the heap had at most %d MB%n",
                ROWS, seconds, ROWS / seconds, consumed / seconds, EACH_TICK, slowestNanos / 1_000_000, peak >> 20);
    }
}
