package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.jdbc.Schema;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** Who creates the tables, beside migrations of the application's own. */
class SchemaModesTest {

    private static ApplicationContextRunner postgres() {
        return Runners.h2().withPropertyValues("spring.datasource.url=" + TestServers.database());
    }

    private static ApplicationContextRunner withFlyway(ApplicationContextRunner runner) {
        return runner.withConfiguration(AutoConfigurations.of(FlywayAutoConfiguration.class))
                .withPropertyValues("spring.flyway.locations=classpath:application-migrations");
    }

    private static void hasTables(AssertableApplicationContext context, String prefix) {
        assertThat(context).hasNotFailed();
        assertThat(context.getBean(JdbcTemplate.class)
                        .queryForObject("select count(*) from " + prefix + "message", Long.class))
                .isZero();
    }

    @Test
    void createsTablesInAnEmbeddedDatabase() {
        Runners.h2().run(context -> hasTables(context, "idempotency_"));
    }

    @Test
    void onlyValidatesInAServersDatabase() {
        postgres().run(context -> {
            assertThat(context).hasFailed();
            assertThat(context.getStartupFailure()).rootCause().hasMessageContaining("idempotency_name");
        });
    }

    @Test
    void createsTablesOnceIfTold() {
        ApplicationContextRunner runner = postgres().withPropertyValues("idempotency.schema.mode=always");
        runner.run(context -> hasTables(context, "idempotency_"));
        runner.run(context -> hasTables(context, "idempotency_"));
    }

    @Test
    void startsWhileAnotherNodeCreatesTheTables() throws Exception {
        String url = TestServers.database();
        DataSource dataSource = new DriverManagerDataSource(url);
        CompletableFuture<Void> start;
        try (Connection other = dataSource.getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute(Schema.on(dataSource).script());
            start = CompletableFuture.runAsync(() -> Runners.h2()
                    .withPropertyValues("spring.datasource.url=" + url, "idempotency.schema.mode=always")
                    .run(context -> hasTables(context, "idempotency_")));
            await().atMost(Duration.ofMinutes(1)).until(() -> isWaitedForALock(dataSource));
            other.commit();
        }
        assertThat(start).succeedsWithin(Duration.ofMinutes(1));
    }

    private static boolean isWaitedForALock(DataSource dataSource) {
        return Boolean.TRUE.equals(new JdbcTemplate(dataSource)
                .queryForObject(
                        "select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
                        Boolean.class));
    }

    @Test
    void createsTablesWithPrefixAndSchema() {
        postgres()
                .withPropertyValues(
                        "idempotency.schema.mode=flyway",
                        "idempotency.schema.table-prefix=once_",
                        "idempotency.schema.name=messaging")
                .run(context -> hasTables(context, "messaging.once_"));
    }

    @Test
    void createsTheSchemaOfTheTables() {
        for (ApplicationContextRunner runner : List.of(postgres(), Runners.h2())) {
            runner.withPropertyValues("idempotency.schema.mode=always", "idempotency.schema.name=messaging")
                    .run(context -> hasTables(context, "messaging.idempotency_"));
        }
    }

    @Test
    void runsAfterTheMigrationsOfTheApplication() {
        withFlyway(postgres().withPropertyValues("idempotency.schema.mode=always"))
                .run(context -> {
                    hasTables(context, "idempotency_");
                    assertThat(context.getBean(JdbcTemplate.class)
                                    .queryForObject("select count(*) from application_table", Long.class))
                            .isZero();
                });
    }

    @Test
    void migratesByFlywayBesideTheMigrationsOfTheApplication() {
        withFlyway(postgres().withPropertyValues("idempotency.schema.mode=flyway"))
                .run(context -> {
                    hasTables(context, "idempotency_");
                    assertThat(context.getBean(JdbcTemplate.class)
                                    .queryForList(
                                            "select table_name from information_schema.tables where table_name like '%schema_history'",
                                            String.class))
                            .containsExactlyInAnyOrder("flyway_schema_history", "idempotency_schema_history");
                });
    }

    @Test
    void doesNothingIfTold() {
        postgres().withPropertyValues("idempotency.schema.mode=none").run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(JdbcTemplate.class)
                            .queryForObject("select to_regclass('idempotency_message') is null", Boolean.class))
                    .isTrue();
        });
    }
}
