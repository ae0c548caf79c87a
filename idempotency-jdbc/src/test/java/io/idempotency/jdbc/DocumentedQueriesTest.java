package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.Sent;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.mariadb.jdbc.Configuration;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;

/** Every query of the documents runs on the database that it names, and finds its rows. */
class DocumentedQueriesTest {

    private static final Pattern BLOCK = Pattern.compile("```sql\n-- (\\w+)\n(.*?)```", Pattern.DOTALL);
    private static final Pattern SETTING = Pattern.compile("`([a-z]+(?:_[a-z]+)+|[a-z]+T[a-z]+)(?:=\\w+)?`");

    /** Options of MariaDB's driver. */
    private static final Set<String> DRIVER = Stream.of(Configuration.Builder.class.getDeclaredMethods())
            .map(Method::getName)
            .collect(Collectors.toSet());

    private static final String FAILURE = """
            org.springframework.kafka.listener.ListenerExecutionFailedException: Listener failed
            \tat some.Class.method(Class.java:1)
            Caused by: java.lang.RuntimeException: outer
            Caused by: java.lang.IllegalStateException: no account
            \tat some.Class.method(Class.java:2)
            """;

    private static QuarantineFailure failure() {
        return new QuarantineFailure("java.lang.IllegalStateException", "0123456789abcdef", FAILURE);
    }

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
                                    delivery, Payload.none(Payload.Origin.POSITION_ONLY), failure(), 10));
                }
            });
            JournalStore journal = JournalStore.builder(pool).build();
            Delivery order = new Delivery(new MessageId("billing", ID), new Position("orders", 0, 1));
            journal.transactions().inTransaction(() -> journal.claim(List.of(order)));
            Delivery renamed = new Delivery(new MessageId("invoices", ID), new Position("orders", 0, 1));
            store.transactions().inTransaction(() -> store.claim(List.of(renamed)));
            Delivery refund = new Delivery(new MessageId("refunding", ID), new Position("refunds", 0, 1));
            store.transactions()
                    .inTransaction(() -> JdbcQuarantine.on(pool)
                            .save(new QuarantinedMessage(
                                    refund, Payload.none(Payload.Origin.POSITION_ONLY), failure(), 10)));
            JdbcTemplate jdbc = new JdbcTemplate(pool);
            archive(jdbc);

            for (String query : queries) {
                if (query.contains("'invoices'")) {
                    assertThat(List.of("payments", "orders", "refunds"))
                            .as("names of topics")
                            .allMatch(topic -> jdbc.update(query.replace("invoices", topic)) == 0);
                }
                if (query.strip().matches("(?s)(insert|update|delete) .*")) {
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
            assertThat(TableStore.on(pool).find(new MessageId("invoicing", ID))).isPresent();
            assertThat(JdbcReplays.on(pool).running("billing"))
                    .singleElement()
                    .satisfies(replay -> assertThat(replay.progress().total()).isOne());
        }
    }

    /** Writes a row into each table of archives. */
    private static void archive(JdbcTemplate jdbc) {
        ArchiveChanges changes = new ArchiveChanges(Tables.standard());
        jdbc.query("select consumer, place from idempotency_journal", row -> {
            ArchiveHead head = new ArchiveHead(
                    new JournalKey(row.getInt(1), row.getLong(2)), 1, State.BUILDING, 1, Span.NONE, 0, 0);
            jdbc.execute((Connection connection) -> {
                changes.insert(connection, head, 0);
                changes.insert(
                        connection,
                        head,
                        List.of(new ArchivePage(0, new byte[0], new byte[0], new byte[0], new byte[0])));
                changes.insert(
                        connection,
                        head,
                        new ArchiveFilter(new long[1], new byte[1], BinaryFuseFilter.of(new long[0])));
                return true;
            });
        });
    }

    /** The user of introducing.md, created word for word, has no other rights. The tables are created with a single connection. */
    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void theStoresNeedNoOtherRightsThanTheDocumentedOnes(TestDatabase database) throws IOException {
        String prefix = "granted_";
        try (HikariDataSource owner = database.pool(1)) {
            Schema.on(owner).tablePrefix(prefix).create();
            JdbcTemplate jdbc = new JdbcTemplate(owner);
            List<String> grants = blocks("introducing.md", database);
            assertThat(grants).hasSizeGreaterThanOrEqualTo(2);
            grants.forEach(grant -> jdbc.execute(grant.replace("idempotency_", prefix)));
        }
        try (HikariDataSource pool = database.pool(2, config -> {
            config.setJdbcUrl(config.getJdbcUrl().replaceAll("user=\\w+", "user=billing"));
            config.setPassword("secret");
        })) {
            JdbcTemplate jdbc = new JdbcTemplate(pool);
            assertThatThrownBy(() -> jdbc.execute("drop table " + prefix + "message"))
                    .isInstanceOf(DataAccessException.class);
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
                    .save(new QuarantinedMessage(delivery, Payload.none(Payload.Origin.POSITION_ONLY), failure(), 1));
            JdbcReplays replays = JdbcReplays.on(pool).tablePrefix(prefix);
            Replay replay = replays.request(ReplayRequest.of(QuarantineSelection.of("billing")));
            assertThat(replays.takeTurn(
                            "billing", new ReplayStore.Partition("payments", 3), "node", Duration.ofMinutes(1)))
                    .isTrue();
            assertThat(replays.stop(replay.request().id(), "tried")).isTrue();
            JdbcOutbox outbox = JdbcOutbox.on(pool).tablePrefix(prefix);
            outbox.add(List.of(new Output("id", "payments", null, null, null, null, List.of())), () -> {});
            assertThat(outbox.relay(
                            10,
                            OutboxStore.Sending.together(
                                    outputs -> new Sent(List.of(), Map.of(outputs.get(0), "too large"), null))))
                    .isEqualTo(1);
            long refused = outbox.refused().list(Optional.empty(), 0, 1).get(0).number();
            assertThat(outbox.refused().resend(refused)).isTrue();
            assertThat(outbox.relay(10, OutboxStore.Sending.together(outputs -> new Sent(outputs, Map.of(), null))))
                    .isEqualTo(1);
        }
    }

    /** Settings of the server, and of the driver where they are in another spelling. */
    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, PostgreSQL, select count(*) from pg_settings where name = ?",
        "MARIADB, MariaDB, select count(*) from information_schema.system_variables where variable_name = ?"
    })
    void everySettingThatIsNamedIsOneOfTheDatabase(TestDatabase database, String title, String count)
            throws IOException {
        String page = page("operations.md");
        int section = page.indexOf("## " + title + "\n");
        Set<String> names = new TreeSet<>();
        SETTING.matcher(page.substring(section, page.indexOf("\n## ", section + 1)))
                .results()
                .forEach(found -> names.add(found.group(1)));
        assertThat(names).hasSizeGreaterThan(4);
        try (HikariDataSource pool = database.pool(1)) {
            JdbcTemplate jdbc = new JdbcTemplate(pool);
            assertThat(names)
                    .allMatch(name -> DRIVER.contains(name)
                            || Objects.equals(jdbc.queryForObject(count, Integer.class, name), 1));
        }
    }

    private static List<String> queries(TestDatabase database) throws IOException {
        List<String> queries = new ArrayList<>(blocks("operations.md", database));
        queries.addAll(blocks("night.md", database));
        return queries;
    }

    /** Returns the statements of the page that are for the database. */
    private static List<String> blocks(String page, TestDatabase database) throws IOException {
        String text = page(page);
        List<String> statements = new ArrayList<>();
        Matcher block = BLOCK.matcher(text);
        int blocks = 0;
        while (block.find()) {
            blocks++;
            if (block.group(1).equals("any") || block.group(1).equalsIgnoreCase(database.name())) {
                statements.addAll(statements(block.group(2)));
            }
        }
        assertThat(blocks)
                .as("blocks of " + page + " that name their database")
                .isEqualTo(text.split("```sql", -1).length - 1);
        return statements;
    }

    private static String page(String name) throws IOException {
        return Files.readString(Path.of(System.getProperty("basedir", ""))
                .toAbsolutePath()
                .resolveSibling("docs")
                .resolve(name));
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
