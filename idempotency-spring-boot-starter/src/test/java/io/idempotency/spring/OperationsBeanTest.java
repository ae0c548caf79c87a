package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.Explanation;
import io.idempotency.Operations;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Position;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.kafka.annotation.KafkaListener;

/** The verbs of operators serve each consumer on the store of its listener. */
class OperationsBeanTest {

    private final ApplicationContextRunner runner = Runners.h2();

    static class Listeners {

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}

        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent(value = "refunding", store = "journal")
        void refund(String order) {}

        @KafkaListener(topics = "letters", groupId = "g")
        @Idempotent(value = "letters", store = "memory")
        void write(String letter) {}
    }

    private static void process(AssertableApplicationContext context, Class<? extends ClaimStore> in, MessageId id) {
        ClaimStore store = context.getBean(in);
        Delivery delivery = new Delivery(id, new Position("topic", 0, 7));
        store.transactions().inTransaction(() -> {
            var unused = store.claim(List.of(delivery));
        });
    }

    private static MessageStatus status(Operations operations, MessageId id) {
        List<Explanation> all = operations.explain(id.consumer(), id.value());
        return all.get(0).status();
    }

    @Test
    void findsAndForgetsOnTableAndJournal() {
        runner.withUserConfiguration(Listeners.class).run(context -> {
            Operations operations = context.getBean(Operations.class);
            MessageId charged = new MessageId("billing", "A-1");
            MessageId refunded = new MessageId("refunding", "A-1");
            process(context, TableStore.class, charged);
            process(context, JournalStore.class, refunded);

            for (MessageId id : List.of(charged, refunded)) {
                assertThat(status(operations, id)).isEqualTo(MessageStatus.PROCESSED);
                assertThat(operations.forget(id, "INC-42").messages()).isEqualTo(1);
                assertThat(status(operations, id)).isEqualTo(MessageStatus.UNKNOWN);
            }
        });
    }

    @Test
    void followsThePropertyOfAConsumer() {
        runner.withUserConfiguration(Listeners.class)
                .withPropertyValues("idempotency.consumers.billing.store=journal", "idempotency.store=table")
                .run(context -> {
                    MessageId charged = new MessageId("billing", "A-1");
                    process(context, JournalStore.class, charged);

                    assertThat(status(context.getBean(Operations.class), charged))
                            .isEqualTo(MessageStatus.PROCESSED);
                });
    }

    @Test
    void knowsTheStoreOfAListenerThatIsSwitchedOff() {
        runner.withUserConfiguration(Listeners.class)
                .withPropertyValues("idempotency.consumers.refunding.enabled=false")
                .run(context -> {
                    MessageId refunded = new MessageId("refunding", "A-1");
                    process(context, JournalStore.class, refunded);

                    assertThat(status(context.getBean(Operations.class), refunded))
                            .isEqualTo(MessageStatus.PROCESSED);
                });
    }

    @Test
    void usesTheDefaultStoreForAConsumerOfOthers() {
        runner.withUserConfiguration(Listeners.class)
                .withPropertyValues("idempotency.store=journal")
                .run(context -> {
                    MessageId shipped = new MessageId("shipping", "A-1");
                    process(context, JournalStore.class, shipped);

                    assertThat(status(context.getBean(Operations.class), shipped))
                            .isEqualTo(MessageStatus.PROCESSED);
                });
    }

    @Test
    void findsTheStoreOfAConsumerOfOthers() {
        runner.withUserConfiguration(Listeners.class).run(context -> {
            MessageId shipped = new MessageId("shipping", "A-1");
            process(context, JournalStore.class, shipped);

            assertThat(status(context.getBean(Operations.class), shipped)).isEqualTo(MessageStatus.PROCESSED);
        });
    }

    @Test
    void refusesAStoreThatSharesNoTransactionWithTheAudit() {
        runner.withUserConfiguration(Listeners.class).run(context -> {
            Operations operations = context.getBean(Operations.class);

            assertThatThrownBy(() -> operations.explain("letters", "A-1"))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("Consumer letters has the store memory");
        });
    }
}
