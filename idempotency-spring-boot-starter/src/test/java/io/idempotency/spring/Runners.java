package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import java.util.UUID;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.core.io.support.SpringFactoriesLoader;

/** Applications whose listeners are set up and not started, on a database in memory. */
final class Runners {

    private Runners() {}

    static ApplicationContextRunner h2() {
        return withoutDatabase()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withPropertyValues("spring.datasource.url=jdbc:h2:mem:" + UUID.randomUUID());
    }

    /** Asserts that the start ends with an analysis that says all this. */
    static void refuses(ApplicationContextRunner runner, Class<?> configuration, String... said) {
        runner.withUserConfiguration(configuration).run(context -> {
            assertThat(context).hasFailed();
            Throwable failure = Objects.requireNonNull(context.getStartupFailure());
            FailureAnalysis analysis = new ListenerRefusedAnalyzer().analyze(failure);
            if (analysis == null) {
                throw new AssertionError("Not refused by the starter", failure);
            }
            assertThat(analysis.getDescription() + analysis.getAction()).contains(said);
        });
    }

    /** Returns what Spring Boot prints of a start that failed. */
    static String printed(Throwable failure) {
        return SpringFactoriesLoader.forDefaultResourceLocation()
                .load(FailureAnalyzer.class, SpringFactoriesLoader.FailureHandler.handleMessage((message, e) -> {}))
                .stream()
                .map(analyzer -> analyzer.analyze(failure))
                .filter(Objects::nonNull)
                .findFirst()
                .map(analysis -> analysis.getDescription() + "\n" + analysis.getAction())
                .orElseThrow(() -> new AssertionError("Nobody explains it", failure));
    }

    static ApplicationContextRunner withoutDatabase() {
        return new ApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(KafkaAutoConfiguration.class, IdempotencyAutoConfiguration.class))
                .withPropertyValues(
                        "spring.kafka.listener.auto-startup=false",
                        "spring.kafka.consumer.auto-offset-reset=earliest",
                        "idempotency.purge.enabled=false");
    }
}
