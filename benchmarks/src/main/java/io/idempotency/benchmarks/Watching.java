package io.idempotency.benchmarks;

import io.idempotency.IdempotentConsumer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/** A loop without deduplication, whose handler a shadow consumer watches. */
final class Watching implements Step {

    /** Handles the messages of a poll, in a transaction of its own. */
    @FunctionalInterface
    interface Work {
        void on(List<ConsumerRecord<byte[], byte[]>> messages);
    }

    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer;
    private final Step loop;

    Watching(ClaimStore store, Work work) {
        this.consumer = KafkaRecords.<byte[], byte[]>consumer(Library.CONSUMER)
                .store(store)
                .shadow()
                .build();
        this.loop =
                Steps.pollByPoll(messages -> consumer.consumeBatch(messages, (watched, claims) -> work.on(watched)));
    }

    /** Returns a store that answers no claim. */
    static ClaimStore hanging() {
        ClaimStore behind = MemoryStore.create();
        return (ClaimStore) Proxy.newProxyInstance(
                ClaimStore.class.getClassLoader(), new Class<?>[] {ClaimStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("claim")) {
                        new CountDownLatch(1).await();
                    }
                    try {
                        return method.invoke(behind, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    @Override
    public void process(Consumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled) {
        loop.process(kafka, polled);
    }

    /** {@inheritDoc} Gives up what the store has not taken. */
    @Override
    public void close() {
        Thread.currentThread().interrupt();
        consumer.close();
        boolean unused = Thread.interrupted();
    }
}
