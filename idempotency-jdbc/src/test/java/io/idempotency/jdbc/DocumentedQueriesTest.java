package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantinedMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** Every query of the documents runs on the database that it names, and finds what it is there for. */
class DocumentedQueriesTest {

    private static final Pattern BLOCK = Pattern.compile("```sql\n-- (\\w+)\n(.*?)```", Pattern.DOTALL);
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
                                    delivery, Payload.none(Payload.Origin.POSITION_ONLY), "no account", 10));
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
                            .satisfies(row -> assertThat(row).containsEntry("id_value", ID));
                }
            }
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
