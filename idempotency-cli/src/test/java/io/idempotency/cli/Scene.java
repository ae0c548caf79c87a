package io.idempotency.cli;

import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A consumer of its own in the tables of a real database, as an application leaves it there. */
final class Scene {

    static final String PREFIX = "cli_";

    final String consumer = "c-" + UUID.randomUUID();
    final DriverManagerDataSource dataSource;
    final TableStore store;
    final JournalStore journal;
    final JdbcQuarantine quarantine;
    final JdbcReplays replays;
    final JdbcAudit audit;
    final Called.User user;

    private Scene(Server server) {
        dataSource = new DriverManagerDataSource(server.url());
        Schema.on(dataSource).tablePrefix(PREFIX).migrate();
        store = TableStore.builder(dataSource).tablePrefix(PREFIX).build();
        journal = JournalStore.builder(dataSource).tablePrefix(PREFIX).build();
        quarantine = JdbcQuarantine.on(dataSource).tablePrefix(PREFIX);
        replays = JdbcReplays.on(dataSource).tablePrefix(PREFIX);
        audit = JdbcAudit.on(dataSource).tablePrefix(PREFIX);
        user = new Called.User("--url", server.url(), "--table-prefix", PREFIX);
    }

    static Scene on(Server server) {
        return new Scene(server);
    }

    Delivery at(String id, long offset) {
        return new Delivery(new MessageId(consumer, id), new Position("orders", 0, offset), 1_764_000_000_000L);
    }

    Claim processed(String id, long offset) {
        return processed(store, id, offset);
    }

    Claim processed(ClaimStore by, String id, long offset) {
        by.prepare(List.of(at(id, offset)));
        Claim[] claim = new Claim[1];
        by.transactions()
                .inTransaction(
                        () -> claim[0] = by.claim(List.of(at(id, offset))).get(0));
        return claim[0];
    }

    /** Quarantines a message that failed with the class and the text, as the flow does. */
    void quarantined(String id, long offset, String failure, Payload payload) {
        quarantined(store, id, offset, failure, payload);
    }

    void quarantined(ClaimStore by, String id, long offset, String failure, Payload payload) {
        by.prepare(List.of(at(id, offset)));
        by.transactions().inTransaction(() -> {
            Claim claim = by.claim(List.of(at(id, offset))).get(0);
            by.quarantine(claim);
            quarantine.save(new QuarantinedMessage(
                    at(id, offset),
                    payload,
                    new QuarantineFailure(
                            failure, "g-" + failure.length(), failure + ": no\n\tat Billing.charge(Billing.java:31)"),
                    10));
        });
    }

    void quarantined(String id, long offset) {
        quarantined(id, offset, "java.lang.IllegalStateException", payload("{\"order\": \"" + id + "\"}"));
    }

    static Payload payload(String value) {
        return new Payload(
                "key".getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8),
                List.of(new Payload.Header("trace", "abc".getBytes(StandardCharsets.UTF_8))),
                Payload.Origin.RAW);
    }

    /** Moves the messages of this consumer back, which is as if the clock had gone on for them. */
    void passTime(Duration duration) {
        long micros = duration.toNanos() / 1000;
        String mine = " where consumer = (select id from cli_name where name = '" + consumer + "')";
        execute("update cli_message set at_micros = at_micros - " + micros + mine);
        execute("update cli_segment set at_micros = at_micros - " + micros + mine);
    }

    void execute(String sql) {
        try (Connection connection = DriverManager.getConnection(dataSource.getUrl());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }
}
