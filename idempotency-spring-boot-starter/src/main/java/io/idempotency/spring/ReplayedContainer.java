package io.idempotency.spring;

import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.kafka.RecordReread;
import io.idempotency.kafka.ReplayRecords;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.QuarantineEntry;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.kafka.support.serializer.DeserializationException;

/**
 * Hands quarantined messages to the listener of a container, as the container does: made by its deserializers, through its interceptors and behind the
 * same consumer. Each message gets a listener of its own in front of the application's, because those in front have a state. Confined to the thread of
 * one replayer, except for {@link #isWorking} and {@link #close}.
 */
final class ReplayedContainer implements ReplayTarget {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final AbstractMessageListenerContainer<Object, Object> container;
    private final FittedContainer fitted;
    private final ListenerCall calls;
    private final RecordReread reread;
    private @Nullable ReplayRecords<Object, Object> records;

    ReplayedContainer(
            AbstractMessageListenerContainer<Object, Object> container,
            FittedContainer fitted,
            Observations observations) {
        this.container = container;
        this.fitted = fitted;
        this.calls = new ListenerCall(container, observations);
        this.reread = RecordReread.of(ContainerFitter.kafkaProperties(container));
    }

    @Override
    public boolean isRetry() {
        return fitted.isRetry();
    }

    @Override
    public boolean isWorking() {
        return container.isRunning() && !container.isPauseRequested();
    }

    @Override
    public boolean polls(String topic) {
        String[] topics = container.getContainerProperties().getTopics();
        Pattern pattern = container.getContainerProperties().getTopicPattern();
        TopicPartitionOffset[] partitions = container.getContainerProperties().getTopicPartitions();
        return (topics != null && Arrays.asList(topics).contains(topic))
                || (pattern != null && pattern.matcher(topic).matches())
                || (partitions != null
                        && Stream.of(partitions).anyMatch(partition -> topic.equals(partition.getTopic())));
    }

    @Override
    public void handle(
            QuarantineEntry entry, String replay, IdempotentConsumer<ConsumerRecord<Object, Object>> companion) {
        ConsumerRecord<Object, Object> record = records().record(entry, replay);
        requireReadable(record);
        FittedContainer own = fitted.replaying(companion);
        KafkaUtils.setConsumerGroupId(container.getGroupId());
        try {
            if (!calls.call(record, entry.message().attempts() + 1, own)) {
                log.info("Replay {}: a filter or an interceptor takes {} away; it is settled.", replay, at(record));
                var unused = companion.consume(record, (message, claim) -> {});
            }
        } finally {
            KafkaUtils.clearConsumerGroupId();
        }
    }

    /** Deserializers may leave null and a header for what they cannot read. */
    private static void requireReadable(ConsumerRecord<Object, Object> record) {
        try {
            PollListener.requireDeserialized(record);
        } catch (DeserializationException e) {
            throw new UnreadableBytesException(
                    at(record) + " cannot be deserialized: " + FailureText.lineWithCause(e), e);
        }
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return WaitingException.partition(record) + "@" + record.offset();
    }

    /** Made on the thread of the replayer, because deserializers are not thread-safe. */
    private synchronized ReplayRecords<Object, Object> records() {
        if (records == null) {
            Optional<ConsumerFactory<Object, Object>> factory = ContainerFitter.consumerFactory(container);
            records = ReplayRecords.of(
                    ContainerFitter.kafkaProperties(container),
                    factory.flatMap(of -> given(of, of.getKeyDeserializer(), of.getKeyDeserializer(), true)),
                    factory.flatMap(of -> given(of, of.getValueDeserializer(), of.getValueDeserializer(), false)),
                    reread);
        }
        return records;
    }

    /**
     * Returns a deserializer that the consumer factory was given. If it gives the same twice, all consumers share it, have configured it, and still use it
     * when this is closed. One of a supplier is new.
     */
    private <T> Optional<Deserializer<T>> given(
            ConsumerFactory<Object, Object> factory,
            @Nullable Deserializer<T> first,
            @Nullable Deserializer<T> second,
            boolean isKey) {
        if (first == null || second == null) {
            return Optional.empty();
        }
        if (first == second) {
            return Optional.of(new Shared<>(first));
        }
        second.close();
        if (isConfiguring(factory)) {
            first.configure(ContainerFitter.kafkaProperties(container), isKey);
        }
        return Optional.of(first);
    }

    /** A deserializer that others close. */
    private record Shared<T>(Deserializer<T> shared) implements Deserializer<T> {

        @Override
        public T deserialize(String topic, byte[] data) {
            return shared.deserialize(topic, data);
        }

        @Override
        public T deserialize(String topic, Headers headers, byte[] data) {
            return shared.deserialize(topic, headers, data);
        }
    }

    private static boolean isConfiguring(ConsumerFactory<Object, Object> factory) {
        return !(factory instanceof DefaultKafkaConsumerFactory<?, ?>)
                || Boolean.TRUE.equals(AdaptedListener.field(factory, "configureDeserializers"));
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
