package io.idempotency.spring;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * Replaces {@link IdempotencyAutoConfiguration} if {@code idempotency.enabled=false}. It defines the beans that the application may inject, so that
 * the application starts, and leaves listeners, tables and purge alone.
 */
@AutoConfiguration(after = IdempotencyAutoConfiguration.class)
@ConditionalOnClass(KafkaListener.class)
@ConditionalOnBooleanProperty(name = "idempotency.enabled", havingValue = false)
@EnableConfigurationProperties(IdempotencyProperties.class)
@Import({DatabaseConfiguration.class, SharedConfiguration.class, OutboxConfiguration.class, ResultConfiguration.class})
public class SwitchedOffAutoConfiguration {

    static final String BEAN = "idempotencySwitchedOff";

    /** Created by Spring. */
    SwitchedOffAutoConfiguration() {}

    @Bean(name = BEAN)
    SwitchedOff idempotencySwitchedOff() {
        return new SwitchedOff();
    }
}
