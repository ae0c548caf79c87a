package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.database.Database;
import io.idempotency.jdbc.StoreContractTest.Contracts;
import io.idempotency.store.IdempotencyException;
import io.idempotency.testkit.ConcurrencyFuzz;
import io.idempotency.testkit.StoreComparison;
import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/** The contracts of the stores on databases without a dialect. */
class PlainContractTest {

    @Nested
    class OnDerby extends Created {
        OnDerby() {
            super(derby(8));
        }
    }

    /** Without Flyway, which has no module for some of them. */
    abstract static class Created extends Contracts {

        Created(HikariDataSource dataSource) {
            super(dataSource);
        }

        @Override
        void createTables(Schema schema) {
            schema.create();
        }

        /** These are slow, at deadlocks most of all. */
        @Override
        @Test
        void agreesWithTheMemoryStoreOnRandomSequences() {
            StoreComparison.run(this, 5);
        }

        @Override
        @Test
        void grantsEveryMessageOnceToManyThreads() {
            ConcurrencyFuzz.run(store(), 20);
        }
    }

    /** As near as one gets to a database that does not run here: its types and its grammar, by a mode of H2. Firebird has none. */
    @ParameterizedTest
    @CsvSource({
        "ANSI, Regular",
        "HSQLDB, HSQLDB",
        "DERBY, Derby",
        "MYSQL, MySQL",
        "ORACLE, Oracle",
        "SQLSERVER, MSSQLServer"
    })
    void theScriptIsOneInTheGrammarOfItsDatabase(PlainSyntax syntax, String mode) throws SQLException {
        String script = Script.of(syntax).text(Tables.standard());
        assertThat(script).doesNotContain("${");
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:;MODE=" + mode)) {
            String known = script.replace(" collate Latin1_General_100_BIN2", "")
                    .replace(" collate utf8mb4_0900_bin", "")
                    .replace(" for bit data", "");

            ScriptUtils.executeSqlScript(connection, new ByteArrayResource(known.getBytes(StandardCharsets.UTF_8)));

            try (ResultSet names = connection.createStatement().executeQuery("select id, name from idempotency_name")) {
                assertThat(names.next()).isTrue();
                assertThat(names.getInt(1)).isZero();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theScriptSaysWhereNobodyHasRunIt(PlainSyntax syntax) {
        assertThat(Script.of(syntax).text(Tables.standard()).startsWith("-- By the manual"))
                .isNotEqualTo(syntax.isTested());
    }

    @Test
    void aDatabaseThatNobodyTriedIsNamedOnceInAWarning() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:hsqldb:mem:unknown")) {
            DatabaseMetaData unknown = answering(
                    DatabaseMetaData.class, connection.getMetaData(), "getDatabaseProductName", "Some Database");
            Connection to = answering(Connection.class, connection, "getMetaData", unknown);

            assertThat(Warnings.of(TableStore.class, () -> {
                        dialect(to);
                        dialect(to);
                    }))
                    .singleElement()
                    .asString()
                    .contains("Some Database", "no message is processed twice or lost", "-Pcontracts");
            assertThat(Warnings.of(TableStore.class, () -> dialect(connection))).isEmpty();
        }
    }

    @Test
    void saysWhatIsMissingWhereFlywayHasNoModuleForTheDatabase() {
        try (HikariDataSource derby = derby(1)) {
            assertThatThrownBy(() -> Schema.on(derby).migrate())
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("flyway-mysql")
                    .hasMessageContaining("Schema.create()");
        }
    }

    private static HikariDataSource derby(int connections) {
        System.setProperty("derby.stream.error.file", new File("target/derby.log").getAbsolutePath());
        System.setProperty("derby.locks.waitTimeout", "1");
        System.setProperty("derby.locks.deadlockTimeout", "1");
        return Database.at("jdbc:derby:memory:idempotency;create=true").pool(connections);
    }

    private static void dialect(Connection connection) {
        try {
            Dialects.of(connection, Tables.standard(), Duration.ofSeconds(1));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T answering(Class<T> type, T target, String method, Object answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, called, arguments) ->
                        called.getName().equals(method) ? answer : called.invoke(target, arguments)));
    }
}
