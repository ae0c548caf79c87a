package io.idempotency.spring;

import static io.idempotency.TransactionPer.POLL;
import static io.idempotency.TransactionPer.RECORD;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;

/** What the property says of the transactions of all record listeners. */
class TransactionPerTest {

    private final ApplicationContextRunner runner = Runners.h2().withPropertyValues("idempotency.transaction-per=poll");

    static class Listeners {

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void bill(String order) {}

        @KafkaListener(topics = "orders", groupId = "h")
        @Idempotent(value = "shipping", transactionPer = RECORD)
        void ship(String order) {}

        @KafkaListener(topics = "orders", groupId = "i")
        @Idempotent("stock")
        void reserve(String order) {}

        @KafkaListener(topics = "orders", groupId = "j")
        @Idempotent(value = "mail", level = ConsistencyLevel.AT_LEAST_ONCE)
        void mail(String order) {}

        @KafkaListener(topics = "orders", groupId = "k", batch = "true")
        @Idempotent(value = "statistics", level = ConsistencyLevel.AT_LEAST_ONCE)
        void count(List<String> orders) {}
    }

    @Test
    void appliesToStrongRecordListenersThatDoNotSayItThemselves() {
        runner.withUserConfiguration(Listeners.class)
                .withPropertyValues("idempotency.consumers.stock.transaction-per=record")
                .run(context -> {
                    Consumers consumers = context.getBean(Consumers.class);
                    assertThat(consumers.transactionPer("billing")).contains(POLL);
                    assertThat(consumers.transactionPer("shipping")).contains(RECORD);
                    assertThat(consumers.transactionPer("stock")).contains(RECORD);
                    assertThat(consumers.transactionPer("mail")).contains(RECORD);
                    assertThat(context).hasNotFailed();
                });
    }

    @Test
    void isRecordByDefault() {
        Runners.h2()
                .withUserConfiguration(Listeners.class)
                .run(context -> assertThat(context.getBean(Consumers.class).transactionPer("billing"))
                        .contains(RECORD));
    }

    static class Retried {

        @RetryableTopic
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void bill(String order) {}
    }

    @Test
    void isRefusedForAListenerThatWouldLoseSomething() {
        Runners.refuses(
                runner,
                Retried.class,
                "transactionPer = POLL together with @RetryableTopic",
                "Use transactionPer = RECORD");
    }
}
