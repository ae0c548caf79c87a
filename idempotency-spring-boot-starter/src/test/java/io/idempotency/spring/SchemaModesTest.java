package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.core.JdbcTemplate;

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
    void createsTablesWithPrefixAndSchema() {
        postgres()
                .withPropertyValues(
                        "idempotency.schema.mode=flyway",
                        "idempotency.schema.table-prefix=once_",
                        "idempotency.schema.name=messaging")
                .run(context -> hasTables(context, "messaging.once_"));
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
