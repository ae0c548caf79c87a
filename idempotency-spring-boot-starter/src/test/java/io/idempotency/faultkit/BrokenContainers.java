package io.idempotency.faultkit;

import io.idempotency.spring.Idempotent;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.CommonLoggingErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.util.backoff.FixedBackOff;

/** Listeners whose methods are right, or nearly, and whose containers settle messages too early, or never. */
@Configuration(proxyBeanMethods = false)
class BrokenContainers {

    static final String LOGS = "logs";
    static final String RECOVERS = "recovers";
    static final String ACKNOWLEDGES_EARLY = "acknowledges-early";
    static final String STUCK = "stuck";

    /** Whether the stuck listener works, so that its messages are settled. */
    static final AtomicBoolean MENDED = new AtomicBoolean();

    @Bean
    static ConcurrentKafkaListenerContainerFactory<String, String> logging(ConsumerFactory<String, String> consumers) {
        return containers(consumers, new CommonLoggingErrorHandler());
    }

    /** Gives up at once, and nobody gets the record. */
    @Bean
    static ConcurrentKafkaListenerContainerFactory<String, String> recovering(
            ConsumerFactory<String, String> consumers) {
        return containers(consumers, new DefaultErrorHandler((record, e) -> {}, new FixedBackOff(0, 0)));
    }

    /** Never gives up. */
    @Bean
    static ConcurrentKafkaListenerContainerFactory<String, String> stubborn(ConsumerFactory<String, String> consumers) {
        return containers(consumers, new DefaultErrorHandler(new FixedBackOff(10, FixedBackOff.UNLIMITED_ATTEMPTS)));
    }

    private static ConcurrentKafkaListenerContainerFactory<String, String> containers(
            ConsumerFactory<String, String> consumers, CommonErrorHandler errors) {
        ConcurrentKafkaListenerContainerFactory<String, String> factory =
                new ConcurrentKafkaListenerContainerFactory<>();
        factory.setConsumerFactory(consumers);
        factory.setCommonErrorHandler(errors);
        return factory;
    }

    @Bean
    static Listeners impatient(Shop.Charges charges) {
        return new Listeners(charges);
    }

    record Listeners(Shop.Charges charges) {

        @KafkaListener(topics = LOGS, groupId = LOGS, containerFactory = "logging")
        void logs(String order) {
            charges.chargeOnce(order);
        }

        @KafkaListener(topics = RECOVERS, groupId = RECOVERS, containerFactory = "recovering")
        void recovers(String order) {
            charges.chargeOnce(order);
        }

        @KafkaListener(topics = ACKNOWLEDGES_EARLY, groupId = ACKNOWLEDGES_EARLY, ackMode = "MANUAL_IMMEDIATE")
        void acknowledgesEarly(String order, Acknowledgment acknowledgment) {
            acknowledgment.acknowledge();
            charges.chargeOnce(order);
        }

        @KafkaListener(topics = STUCK, groupId = STUCK, containerFactory = "stubborn")
        @Idempotent(STUCK)
        void stuck(String order) {
            if (!MENDED.get()) {
                throw new IllegalStateException("nobody has mended it");
            }
        }
    }
}
