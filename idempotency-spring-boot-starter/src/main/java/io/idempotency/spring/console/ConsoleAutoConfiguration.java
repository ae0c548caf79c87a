package io.idempotency.spring.console;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/** Decides whether the application has what the console needs, if {@code idempotency.console.enabled=true}. */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = ConsoleAutoConfiguration.ENABLED)
public class ConsoleAutoConfiguration {

    static final String ENABLED = "idempotency.console.enabled";

    /** Created by Spring. */
    ConsoleAutoConfiguration() {}

    @Bean
    ConsoleSwitch idempotencyConsoleSwitch(ConfigurableListableBeanFactory beans, Environment environment) {
        return new ConsoleSwitch(beans, environment);
    }
}
