package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Prints what the table store takes on PostgreSQL with its default settings: bytes per message with random ids, indexes
 * included, and the rate of polls of 500 with claims as a ratio to the same loop without. Run by {@code mvn -Pmeasure}.
 */
final class TableStoreMeasurement {

    private static final int POLL = 500;
    private static final int ROUNDS = 7;
    private static final int POLLS_PER_ROUND = 100;

    private final PrintStream out = System.out;
    private final DataSource dataSource;
    private final JdbcTemplate jdbc;
    private final TableStore store;
    private long offset;

    private TableStoreMeasurement(DataSource dataSource) {
        this.dataSource = dataSource;
        this.jdbc = new JdbcTemplate(dataSource);
        Schema.on(dataSource).migrate();
        this.store = TableStore.on(dataSource);
        jdbc.execute("create table effect (message_id text not null, amount integer not null)");
    }

    /** The first argument is the number of messages whose space is measured, one million unless given. */
    public static void main(String[] arguments) throws IOException {
        int messages = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        try (EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("full_page_writes", "on")
                .start()) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(server.getJdbcUrl("postgres", "postgres"));
            config.setMaximumPoolSize(2);
            try (HikariDataSource dataSource = new HikariDataSource(config)) {
                TableStoreMeasurement measurement = new TableStoreMeasurement(dataSource);
                measurement.speed();
                measurement.space(messages);
            }
        }
    }

    /** Interleaves rounds with and without claims, so that both see the same machine. */
    private void speed() {
        List<Double> bare = new ArrayList<>();
        List<Double> claimed = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            bare.add(round(false));
            claimed.add(round(true));
        }
        double without = median(bare.subList(1, ROUNDS));
        double with = median(claimed.subList(1, ROUNDS));
        out.printf(
                "polls of %d, one transaction each, one batched effect statement, medians of %d rounds%n",
                POLL, ROUNDS - 1);
        out.printf("%-20s %.0f messages per second %s%n", "without claims", without, spread(bare));
        out.printf("%-20s %.0f messages per second %s%n", "with claims", with, spread(claimed));
        out.printf("%-20s %.2f%n", "ratio", with / without);
    }

    private double round(boolean isClaiming) {
        long began = System.nanoTime();
        for (int poll = 0; poll < POLLS_PER_ROUND; poll++) {
            List<Delivery> deliveries = poll();
            store.transactions().inTransaction(() -> {
                if (isClaiming) {
                    store.claim(deliveries);
                }
                effects(deliveries);
            });
        }
        return POLL * POLLS_PER_ROUND / ((System.nanoTime() - began) / 1e9);
    }

    private void effects(List<Delivery> deliveries) {
        String[] ids = deliveries.stream().map(each -> each.id().value()).toArray(String[]::new);
        new JdbcTemplate(dataSource)
                .update(
                        "insert into effect select id, 1 from unnest(?) as id",
                        statement ->
                                statement.setArray(1, statement.getConnection().createArrayOf("text", ids)));
    }

    private List<Delivery> poll() {
        List<Delivery> poll = new ArrayList<>(POLL);
        for (int i = 0; i < POLL; i++) {
            poll.add(new Delivery(
                    new MessageId("billing", UUID.randomUUID().toString()), new Position("orders", i % 12, offset++)));
        }
        return poll;
    }

    private void space(int messages) {
        jdbc.execute("truncate idempotency_message");
        for (int claimed = 0; claimed < messages; claimed += POLL) {
            List<Delivery> poll = poll();
            store.transactions().inTransaction(() -> store.claim(poll));
        }
        out.printf("%d messages with random ids (UUID version 4)%n", messages);
        for (String relation : List.of("idempotency_message", "idempotency_message_pkey", "idempotency_message_at")) {
            out.printf("%-26s %.1f bytes per message%n", relation, bytes("pg_relation_size", relation) / messages);
        }
        out.printf(
                "%-26s %.1f bytes per message%n",
                "total", bytes("pg_total_relation_size", "idempotency_message") / messages);
    }

    private double bytes(String function, String relation) {
        Long bytes = jdbc.queryForObject("select " + function + "('" + relation + "')", Long.class);
        return bytes == null ? 0 : bytes;
    }

    private static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 2);
    }

    private static String spread(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values.subList(1, values.size()));
        Collections.sort(sorted);
        return "(%.0f to %.0f)".formatted(sorted.get(0), sorted.get(sorted.size() - 1));
    }
}
