package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantinedMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** Every query of the documents runs on the database that it names, and finds what it is there for. */
class DocumentedQueriesTest {

    private static final Pattern BLOCK = Pattern.compile("```sql\n-- (\\w+)\n(.*?)```", Pattern.DOTALL);
    private static final String FAILURE = """
            org.springframework.kafka.listener.ListenerExecutionFailedException: Listener failed
            \tat some.Class.method(Class.java:1)
            Caused by: java.lang.RuntimeException: outer
            Caused by: java.lang.IllegalStateException: no account
            \tat some.Class.method(Class.java:2)
            """;
    private static final String ID = "0192f0c1-7a7b-7d3e-8f00-000000000000";

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void runsAndFindsTheMessage(TestDatabase database) throws IOException {
        List<String> queries = queries(database);
        assertThat(queries).hasSizeGreaterThanOrEqualTo(3);
        try (HikariDataSource pool = database.pool(2)) {
            Schema.on(pool).create();
            TableStore store = TableStore.on(pool);
            Delivery delivery = new Delivery(new MessageId("billing", ID), new Position("payments", 3, 42));
            store.transactions().inTransaction(() -> {
                if (store.claim(List.of(delivery)).get(0).isGranted()) {
                    JdbcQuarantine.on(pool)
                            .save(new QuarantinedMessage(
                                    delivery, Payload.none(Payload.Origin.POSITION_ONLY), FAILURE, 10));
                }
            });
            JdbcTemplate jdbc = new JdbcTemplate(pool);

            for (String query : queries) {
                if (query.strip().startsWith("update")) {
                    assertThat(jdbc.update(query)).isOne();
                    continue;
                }
                List<Map<String, Object>> rows = jdbc.queryForList(query);
                if (query.contains("'" + ID + "'")) {
                    assertThat(rows).singleElement().satisfies(row -> {
                        assertThat(String.valueOf(row.get("status"))).isEqualTo("2");
                        assertThat(row).containsEntry("topic", "payments").containsEntry("record_offset", 42L);
                    });
                } else if (query.contains("idempotency_quarantine")) {
                    assertThat(rows)
                            .singleElement()
                            .satisfies(row -> assertThat(row)
                                    .containsEntry("id_value", ID)
                                    .containsEntry("cause", "java.lang.IllegalStateException: no account"));
                }
            }
        }
    }

    /** As introducing.md says of the user's rights: these on the five tables, nothing else. The tables are created with a single connection. */
    @Test
    void theStoresNeedNoOtherRightsThanThoseOnTheRows() {
        String prefix = "granted_";
        try (HikariDataSource owner = TestDatabase.POSTGRESQL.pool(1)) {
            Schema.on(owner).tablePrefix(prefix).create();
            JdbcTemplate jdbc = new JdbcTemplate(owner);
            jdbc.execute("create role granted login password 'granted'");
            for (String table : List.of("name", "message", "quarantine", "journal", "segment")) {
                jdbc.execute("grant select, insert, update, delete on " + prefix + table + " to granted");
            }
        }
        try (HikariDataSource pool = TestDatabase.POSTGRESQL.pool(2, config -> {
            config.setJdbcUrl(config.getJdbcUrl().replaceAll("user=\\w+", "user=granted"));
            config.setPassword("granted");
        })) {
            Schema.on(pool).tablePrefix(prefix).validate();
            Delivery delivery = new Delivery(new MessageId("billing", ID), new Position("payments", 3, 42));
            TableStore table = TableStore.builder(pool).tablePrefix(prefix).build();
            JournalStore journal =
                    JournalStore.builder(pool).tablePrefix(prefix).build();
            for (ClaimStore store : List.of(table, journal)) {
                for (boolean isGranted : List.of(true, false)) {
                    store.transactions()
                            .inTransaction(() -> assertThat(store.claim(List.of(delivery))
                                            .get(0)
                                            .isGranted())
                                    .isEqualTo(isGranted));
                }
                assertThat(store.find(delivery.id())).isPresent();
                assertThat(Purger.of(store).build().runOnce()).isZero();
                assertThat(store.forget(delivery.id())).isTrue();
            }
            table.lease(List.of(delivery), Duration.ofMinutes(1));
            JdbcQuarantine.on(pool)
                    .tablePrefix(prefix)
                    .save(new QuarantinedMessage(delivery, Payload.none(Payload.Origin.POSITION_ONLY), "none", 1));
        }
    }

    private static List<String> queries(TestDatabase database) throws IOException {
        Path docs = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolveSibling("docs");
        List<String> queries = new ArrayList<>();
        for (String page : List.of("operations.md", "night.md")) {
            String text = Files.readString(docs.resolve(page));
            Matcher block = BLOCK.matcher(text);
            int blocks = 0;
            while (block.find()) {
                blocks++;
                if (block.group(1).equals("any") || block.group(1).equalsIgnoreCase(database.name())) {
                    queries.addAll(statements(block.group(2)));
                }
            }
            assertThat(blocks)
                    .as("blocks of " + page + " that name their database")
                    .isEqualTo(text.split("```sql", -1).length - 1);
        }
        return queries;
    }

    private static List<String> statements(String block) {
        String text = block.lines().map(line -> line.replaceAll("--.*", "")).collect(Collectors.joining("\n"));
        return Pattern.compile(";")
                .splitAsStream(text)
                .map(String::strip)
                .filter(statement -> !statement.isEmpty())
                .toList();
    }
}
