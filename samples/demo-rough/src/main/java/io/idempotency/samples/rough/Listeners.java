package io.idempotency.samples.rough;

import io.idempotency.TransactionPer;
import io.idempotency.spring.Idempotent;
import java.util.List;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.stereotype.Component;

/** The listeners: one of each kind, on each store. */
@Component
class Listeners {

    private final Handler handler;

    Listeners(Handler handler) {
        this.handler = handler;
    }

    @KafkaListener(topics = Step.OF_RECORD_TABLE, groupId = Step.OF_RECORD_TABLE)
    @Idempotent(Step.OF_RECORD_TABLE)
    void recordTable(Order order) {
        handler.handle(Step.RECORD_TABLE, order);
    }

    @KafkaListener(topics = Step.OF_POLL_TABLE, groupId = Step.OF_POLL_TABLE)
    @Idempotent(value = Step.OF_POLL_TABLE, transactionPer = TransactionPer.POLL)
    void pollTable(Order order) {
        handler.handle(Step.POLL_TABLE, order);
    }

    @KafkaListener(topics = Step.OF_BATCH_TABLE, groupId = Step.OF_BATCH_TABLE, batch = "true")
    @Idempotent(Step.OF_BATCH_TABLE)
    void batchTable(List<Order> orders) {
        handleAll(Step.BATCH_TABLE, orders);
    }

    @KafkaListener(topics = Step.OF_RECORD_JOURNAL, groupId = Step.OF_RECORD_JOURNAL)
    @Idempotent(value = Step.OF_RECORD_JOURNAL, store = "journal")
    void recordJournal(Order order) {
        handler.handle(Step.RECORD_JOURNAL, order);
    }

    @KafkaListener(topics = Step.OF_POLL_JOURNAL, groupId = Step.OF_POLL_JOURNAL)
    @Idempotent(value = Step.OF_POLL_JOURNAL, store = "journal", transactionPer = TransactionPer.POLL)
    void pollJournal(Order order) {
        handler.handle(Step.POLL_JOURNAL, order);
    }

    @KafkaListener(topics = Step.OF_BATCH_JOURNAL, groupId = Step.OF_BATCH_JOURNAL, batch = "true")
    @Idempotent(value = Step.OF_BATCH_JOURNAL, store = "journal")
    void batchJournal(List<Order> orders) {
        handleAll(Step.BATCH_JOURNAL, orders);
    }

    /** Handles a batch. For every other order it names the one that failed. */
    private void handleAll(Step step, List<Order> orders) {
        for (int i = 0; i < orders.size(); i++) {
            Order order = orders.get(i);
            try {
                handler.handle(step, order);
            } catch (RuntimeException e) {
                if (order.number() % 2 == 0) {
                    throw new BatchListenerFailedException("order " + order.number() + " failed", e, i);
                }
                throw e;
            }
        }
    }
}
