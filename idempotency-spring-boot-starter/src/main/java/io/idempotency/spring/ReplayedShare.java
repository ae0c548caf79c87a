package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.kafka.RecordReread;
import io.idempotency.kafka.ReplayRecords;
import io.idempotency.store.QuarantineEntry;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ShareKafkaMessageListenerContainer;

/** Hands quarantined messages to the listener of a share group. */
final class ReplayedShare implements ReplayTarget {

    private final ShareKafkaMessageListenerContainer<Object, Object> container;
    private final ShareProcessors consumers;
    private final MessageHandler<ConsumerRecord<Object, Object>> handler;
    private final RecordReread reread;
    private @Nullable ReplayRecords<Object, Object> records;

    ReplayedShare(
            ShareKafkaMessageListenerContainer<Object, Object> container,
            ShareProcessors consumers,
            MessageHandler<ConsumerRecord<Object, Object>> handler) {
        this.container = container;
        this.consumers = consumers;
        this.handler = handler;
        this.reread = RecordReread.of(consumers.getConfigurationProperties());
    }

    @Override
    public boolean isRetry() {
        return false;
    }

    @Override
    public boolean isWorking() {
        return container.isRunning();
    }

    @Override
    public boolean polls(String topic) {
        String[] topics = container.getContainerProperties().getTopics();
        return topics != null && Arrays.asList(topics).contains(topic);
    }

    @Override
    public void handle(
            QuarantineEntry entry, String replay, IdempotentConsumer<ConsumerRecord<Object, Object>> companion) {
        var unused = companion.consume(records().record(entry, replay), handler);
    }

    /** Made on the thread of the replayer, because deserializers are not thread-safe. */
    private synchronized ReplayRecords<Object, Object> records() {
        if (records == null) {
            Optional<Deserializer<Object>> keys = consumers.keys();
            Optional<Deserializer<Object>> values = consumers.values();
            records = ReplayRecords.of(consumers.getConfigurationProperties(), keys, values, reread);
        }
        return records;
    }

    @Override
    public synchronized void close() {
        reread.close();
        if (records != null) {
            records.close();
            records = null;
        }
    }
}
