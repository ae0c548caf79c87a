package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.RecordInterceptor;
import org.springframework.kafka.support.Acknowledgment;

/** What a container in batch mode would lose is refused for record listeners whose polls are one transaction. */
class PollRefusalTest {

    private final ApplicationContextRunner runner = Runners.h2();

    private void refuses(Class<?> configuration, String... said) {
        Runners.refuses(runner, configuration, said);
    }

    private static void refuses(ApplicationContextRunner runner, Class<?> configuration, String... said) {
        Runners.refuses(runner, configuration, said);
    }

    static class Poll {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        void charge(String order) {}
    }

    static class PollWithLeases {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL, level = ConsistencyLevel.AT_LEAST_ONCE)
        void charge(String order) {}
    }

    static class PollWithRetryTopic {
        @RetryableTopic
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        void charge(String order) {}
    }

    static class PollWithAck {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        void charge(String order, Acknowledgment acknowledgment) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class PollWithInterceptor extends Poll {
        @Bean
        static RecordInterceptor<Object, Object> interceptor() {
            return (record, consumer) -> record;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class PollWithAttempts extends Poll {
        @Bean
        static ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
            return container -> container.getContainerProperties().setDeliveryAttemptHeader(true);
        }
    }

    static class PollWithFuture {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        CompletableFuture<Void> charge(String order) {
            return CompletableFuture.completedFuture(null);
        }
    }

    @Test
    void startsWithAPlainListener() {
        runner.withUserConfiguration(Poll.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void refusesWhatIsLostInPolls() {
        refuses(PollWithInterceptor.class, "POLL together with a RecordInterceptor");
        refuses(PollWithAttempts.class, "POLL together with the delivery attempt header");
        refuses(PollWithFuture.class, "returns before its work is done");

        refuses(PollWithLeases.class, "POLL together with level AT_LEAST_ONCE");
        refuses(PollWithRetryTopic.class, "POLL together with @RetryableTopic");
        refuses(
                runner.withPropertyValues("spring.kafka.listener.ack-mode=manual"),
                PollWithAck.class,
                "ack mode MANUAL");
        refuses(runner.withPropertyValues("spring.kafka.listener.ack-mode=record"), Poll.class, "ack mode RECORD");
        refuses(
                runner.withPropertyValues("spring.kafka.listener.observation-enabled=true"),
                Poll.class,
                "observations of single records");
        refuses(runner.withPropertyValues("spring.kafka.listener.immediate-stop=true"), Poll.class, "stopImmediate");
    }
}
