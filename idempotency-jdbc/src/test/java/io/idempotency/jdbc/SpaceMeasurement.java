package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;

/** Prints how many bytes PostgreSQL takes per message, indexes included, for random ids. Run by hand. */
final class SpaceMeasurement {

    private static final int POLL = 500;

    private SpaceMeasurement() {}

    /** The first argument is the number of messages, one million unless given. */
    public static void main(String[] arguments) {
        int messages = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        try (HikariDataSource dataSource = TestDatabase.POSTGRESQL.pool(3)) {
            Schema.on(dataSource).tablePrefix("space_").migrate();
            TableStore store =
                    TableStore.builder(dataSource).tablePrefix("space_").build();
            long began = System.nanoTime();
            for (int offset = 0; offset < messages; offset += POLL) {
                List<Delivery> poll = new ArrayList<>();
                for (int i = 0; i < POLL; i++) {
                    poll.add(new Delivery(
                            new MessageId("billing", UUID.randomUUID().toString()),
                            new Position("orders", i % 12, offset + i)));
                }
                store.transactions().inTransaction(() -> store.claim(poll));
            }
            print(new JdbcTemplate(dataSource), messages, System.nanoTime() - began);
        }
    }

    private static void print(JdbcTemplate jdbc, int messages, long nanos) {
        PrintStream out = System.out;
        out.printf("%d messages, %.0f per second%n", messages, messages / (nanos / 1e9));
        for (String relation : List.of("space_message", "space_message_pkey", "space_message_at")) {
            Long bytes = jdbc.queryForObject("select pg_relation_size('" + relation + "')", Long.class);
            out.printf("%-20s %.2f bytes per message%n", relation, (bytes == null ? 0.0 : bytes) / messages);
        }
        Long total = jdbc.queryForObject("select pg_total_relation_size('space_message')", Long.class);
        out.printf("%-20s %.2f bytes per message%n", "total", (total == null ? 0.0 : total) / messages);
    }
}
