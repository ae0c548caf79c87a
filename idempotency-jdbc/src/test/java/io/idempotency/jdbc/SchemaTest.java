package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;

class SchemaTest {

    private static final Delivery DELIVERY =
            new Delivery(new MessageId("billing", "m-1"), new Position("orders", 0, 1));

    @ParameterizedTest
    @EnumSource
    void migratesTwiceWithoutFurtherEffect(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            Schema schema = Schema.on(dataSource).tablePrefix("twice_");

            schema.migrate();
            schema.migrate();

            assertThatCode(schema::validate).doesNotThrowAnyException();
            assertThat(schema.difference()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void givesAScriptThatCanBeRunByHand(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            Schema schema = Schema.on(dataSource).tablePrefix("by_hand_");
            for (String table : List.of(
                    "name",
                    "message",
                    "quarantine",
                    "journal",
                    "segment",
                    "archive",
                    "archive_page",
                    "archive_filter")) {
                TestDatabase.execute(dataSource, "drop table if exists by_hand_" + table);
            }
            assertThat(schema.script()).doesNotContain("${");

            runByHand(dataSource, schema.script());

            assertThatCode(schema::validate).doesNotThrowAnyException();
            assertThat(claim(TableStore.builder(dataSource)
                                    .tablePrefix("by_hand_")
                                    .build())
                            .isGranted())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.9")
    void isCreatedByManyNodesAtTheSameTime(TestDatabase database) throws Exception {
        int nodes = 4;
        ExecutorService threads = Executors.newFixedThreadPool(nodes);
        try (HikariDataSource dataSource = database.pool(nodes + 1)) {
            for (int round = 0; round < 10; round++) {
                Schema schema = Schema.on(dataSource).tablePrefix("race_" + round + "_");
                CyclicBarrier start = new CyclicBarrier(nodes);
                List<Future<?>> all = new ArrayList<>();
                for (int node = 0; node < nodes; node++) {
                    all.add(threads.submit(() -> {
                        start.await();
                        schema.create();
                        return null;
                    }));
                }
                for (Future<?> each : all) {
                    each.get(1, TimeUnit.MINUTES);
                }
                assertThatCode(schema::validate).doesNotThrowAnyException();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-8.9")
    void completesWhatADeadNodeHasLeftHalfDone(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            String script = Schema.on(dataSource).tablePrefix("half_0_").script();
            int statements = statements(script).size();
            for (int done = 0; done < statements; done++) {
                Schema schema = Schema.on(dataSource).tablePrefix("half_" + done + "_");
                statements(schema.script()).subList(0, done).forEach(each -> TestDatabase.execute(dataSource, each));

                schema.create();

                assertThatCode(schema::validate).as("%s statements", done).doesNotThrowAnyException();
                TestDatabase.execute(
                        dataSource,
                        "drop index "
                                + (database == TestDatabase.MARIADB
                                        ? "half_" + done + "_message_at on half_" + done + "_message"
                                        : "half_" + done + "_message_at"));
            }
        }
    }

    /** MariaDB's driver then says that it is MySQL. */
    @Test
    void knowsMariaDbWhateverItsDriverCallsIt() {
        try (HikariDataSource dataSource = TestDatabase.MARIADB.pool(
                3, config -> config.setJdbcUrl(TestDatabase.MARIADB.url() + "&useMysqlMetadata=true"))) {
            Schema schema = Schema.on(dataSource).tablePrefix("called_mysql_");

            assertThat(schema.script()).contains("engine = innodb");
            schema.create();

            assertThat(claim(TableStore.builder(dataSource)
                                    .tablePrefix("called_mysql_")
                                    .build())
                            .isGranted())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void namesTheMissingTableAndTheWayToCreateIt(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            Schema schema = Schema.on(dataSource).tablePrefix("absent_");

            assertThatThrownBy(schema::validate)
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("Schema.migrate()")
                    .message()
                    .containsPattern("create table (if not exists )?absent_message");
            assertThatThrownBy(() -> claim(TableStore.builder(dataSource)
                            .tablePrefix("absent_")
                            .build()))
                    .isInstanceOf(IdempotencyException.class)
                    .isNotInstanceOf(TransientStoreException.class)
                    .hasMessageContaining("Schema.migrate()")
                    .satisfies(e -> assertThat(e.getMessage()).containsIgnoringCase("absent_name"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "name",
                "message",
                "quarantine",
                "journal",
                "segment",
                "archive",
                "archive_page",
                "archive_filter"
            })
    void noticesEachTableThatIsMissing(String table) {
        try (HikariDataSource dataSource = TestDatabase.H2.pool(3)) {
            Schema schema = Schema.on(dataSource).schema("without_" + table);
            schema.migrate();
            TestDatabase.execute(dataSource, "drop table without_" + table + ".idempotency_" + table);

            assertThatThrownBy(schema::validate)
                    .isInstanceOf(IdempotencyException.class)
                    .satisfies(e -> assertThat(e.getMessage()).containsIgnoringCase("idempotency_" + table));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "H2", "HSQLDB"})
    void keepsTheTablesInASchemaOfTheirOwn(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            Schema schema = Schema.on(dataSource).schema("Own_Place");

            schema.migrate();

            assertThatCode(schema::validate).doesNotThrowAnyException();
            TableStore store =
                    TableStore.builder(dataSource).schema("Own_Place").build();
            store.forget(DELIVERY.id());
            assertThat(claim(store).isGranted()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2", "HSQLDB"})
    void createsTheSchemaWithItsTables(TestDatabase database) {
        try (HikariDataSource dataSource = database.pool(3)) {
            Schema schema = Schema.on(dataSource).schema("Created_Place");

            schema.create();
            schema.create();

            assertThatCode(schema::validate).doesNotThrowAnyException();
            Schema other = schema.tablePrefix("other_");
            other.create();
            assertThatCode(other::validate).doesNotThrowAnyException();
        }
    }

    @Test
    void leavesTheApplicationsOwnMigrationsAlone() {
        try (HikariDataSource dataSource = TestDatabase.H2.pool(3)) {
            TestDatabase.execute(dataSource, "create schema if not exists app");
            try (HikariDataSource app = new HikariDataSource()) {
                app.setJdbcUrl(TestDatabase.H2.url() + ";SCHEMA=APP");
                Flyway own = Flyway.configure()
                        .dataSource(app)
                        .locations("classpath:application-migrations")
                        .load();
                assertThat(own.migrate().migrationsExecuted).isEqualTo(1);

                Schema.on(app).migrate();

                assertThat(own.migrate().migrationsExecuted).isZero();
                assertThatCode(own::validate).doesNotThrowAnyException();
                assertThat(new JdbcTemplate(app)
                                .queryForList("select \"script\" from \"flyway_schema_history\"", String.class))
                        .noneMatch(script -> script.contains("messages"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x; drop table users", "x\"", "1x", "x-y", "ä", "x y", "a.b", "x\0", "x'"})
    void takesPlainIdentifiersOnly(String name) {
        assertThatThrownBy(() -> new Tables("", name)).isInstanceOf(IdempotencyException.class);
        assertThatThrownBy(() -> new Tables(name.isEmpty() ? " " : name, "x_"))
                .isInstanceOf(IdempotencyException.class);
    }

    @Test
    void saysThatTheTablesAreThoseOfAnotherDialect() {
        try (HikariDataSource dataSource = TestDatabase.POSTGRESQL.pool(3)) {
            TestDatabase.execute(dataSource, "drop table if exists other_name, other_message");
            TestDatabase.execute(dataSource, "create table other_name (id integer primary key, name text unique)");
            TestDatabase.execute(dataSource, "create table other_message (id integer primary key)");

            assertThatThrownBy(() -> claim(
                            TableStore.builder(dataSource).tablePrefix("other_").build()))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("Schema.script()");
        }
    }

    @Test
    @Tag("rule-2.2")
    void refusesANameTableThatTakesDifferentNamesForTheSame() {
        try (HikariDataSource dataSource = TestDatabase.MARIADB.pool(3)) {
            Schema.on(dataSource).tablePrefix("loose_").migrate();
            TestDatabase.execute(
                    dataSource,
                    "alter table loose_name modify name varchar(255) character set utf8mb4 collate"
                            + " utf8mb4_general_ci not null");
            TableStore store =
                    TableStore.builder(dataSource).tablePrefix("loose_").build();
            claim(store);

            Delivery other = new Delivery(new MessageId("BILLING", "m-1"), DELIVERY.position());
            assertThatThrownBy(() -> store.transactions().inTransaction(() -> store.claim(List.of(other))))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("for the same name");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-2.2")
    void tellsStreamsApartByCaseAndBlanks(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            List<String> streams = database == TestDatabase.HSQLDB
                    ? List.of("orders", "Orders", "ORDERS")
                    : List.of("orders", "Orders", "orders ", "ORDERS ");
            for (int i = 0; i < streams.size(); i++) {
                Delivery delivery = new Delivery(fixture.at("s-" + i, 0).id(), new Position(streams.get(i), 0, i));
                fixture.transactions.inTransaction(() -> fixture.store.claim(List.of(delivery)));
            }
            TableStore other = TableStore.builder(fixture.dataSource)
                    .tablePrefix(Fixture.PREFIX)
                    .build();
            for (int i = 0; i < streams.size(); i++) {
                assertThat(other.find(fixture.at("s-" + i, 0).id())
                                .orElseThrow()
                                .position())
                        .isEqualTo(new Position(streams.get(i), 0, i));
            }
        }
    }

    /** HSQLDB takes no notice of blanks at the end; it compares the rest, though. */
    @Test
    @Tag("rule-2.2")
    void refusesANameThatDiffersByABlankWhereTheDatabaseDoesNotTellThemApart() {
        try (Fixture fixture = Fixture.on(TestDatabase.HSQLDB)) {
            fixture.claimed("m-1");
            Delivery other = new Delivery(fixture.at("m-2", 2).id(), new Position("orders ", 0, 2));

            assertThatThrownBy(() -> fixture.transactions.inTransaction(() -> fixture.store.claim(List.of(other))))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("for the same name");
        }
    }

    private static void runByHand(HikariDataSource dataSource, String script) {
        statements(script).forEach(statement -> TestDatabase.execute(dataSource, statement));
    }

    private static List<String> statements(String script) {
        return Arrays.stream(script.replaceAll("--[^\n]*", "").split(";\n(?=\n|create|alter|do|$)", -1))
                .filter(statement -> !statement.isBlank())
                .toList();
    }

    private static Claim claim(TableStore store) {
        Claim[] claim = new Claim[1];
        store.transactions()
                .inTransaction(() -> claim[0] = store.claim(List.of(DELIVERY)).get(0));
        return claim[0];
    }
}
