package io.idempotency.web;

import io.idempotency.spring.Idempotent;
import io.idempotency.spring.QuarantineRecoverer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** An application with a listener that fails at the values it is told. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class EndpointApplication {

    /** Values at which the listener fails. */
    static final Set<String> POISON = ConcurrentHashMap.newKeySet();

    static class Billing {

        @KafkaListener(id = "billing", groupId = "billing-${topic}", topics = "${topic}")
        @Idempotent("billing")
        void charge(String order) {
            if (POISON.contains(order)) {
                throw new IllegalStateException("no such account");
            }
        }
    }

    @Bean
    Billing billing() {
        return new Billing();
    }

    /** Fails at once, so that a test does not wait for the attempts. */
    @Bean
    DefaultErrorHandler errorHandler(QuarantineRecoverer recoverer) {
        return new DefaultErrorHandler(recoverer, new FixedBackOff(0, 0));
    }
}
