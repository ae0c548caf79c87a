package io.idempotency.faultkit;

import io.idempotency.spring.Idempotent;
import io.idempotency.spring.IdempotentContainers;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Listeners that are no single annotated methods. */
@Configuration(proxyBeanMethods = false)
class RightContainers {

    static final String METHODS = "methods";
    static final String BOUND = "bound";
    static final String CATCHING = "catching";

    @Bean
    static Methods methods(Shop.Charges charges) {
        return new Methods(charges);
    }

    @Bean
    static ConcurrentMessageListenerContainer<String, String> container(
            ConsumerFactory<String, String> consumers, IdempotentContainers idempotent, Shop.Charges charges) {
        ContainerProperties properties = new ContainerProperties(BOUND);
        properties.setGroupId(BOUND);
        properties.setMessageListener(
                (MessageListener<String, String>) record -> charges.charge(BOUND, record.value()));
        return idempotent.bind(BOUND, new ConcurrentMessageListenerContainer<>(consumers, properties));
    }

    /** Catches even the death of its process, and dies all the same. */
    @Bean
    static ConcurrentMessageListenerContainer<String, String> catching(
            ConsumerFactory<String, String> consumers, TransactionTemplate transactions, Shop.Charges charges) {
        ContainerProperties properties = new ContainerProperties(CATCHING);
        properties.setGroupId(CATCHING);
        properties.setMessageListener((MessageListener<String, String>) record -> {
            try {
                transactions.executeWithoutResult(status -> charges.chargeOnce(record.value()));
            } catch (VirtualMachineError caught) {
                // Goes on as if nothing had happened.
            }
        });
        return new ConcurrentMessageListenerContainer<>(consumers, properties);
    }

    /** A method for each type. */
    @KafkaListener(topics = METHODS, groupId = METHODS)
    @Idempotent(METHODS)
    static class Methods {

        private final Shop.Charges charges;

        Methods(Shop.Charges charges) {
            this.charges = charges;
        }

        @KafkaHandler
        void order(String order) {
            charges.charge(METHODS, order);
        }

        @KafkaHandler
        void number(Integer number) {
            charges.charge(METHODS, number.toString());
        }
    }
}
