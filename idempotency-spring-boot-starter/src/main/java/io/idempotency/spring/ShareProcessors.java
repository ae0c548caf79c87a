package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.kafka.ShareMembers;
import io.idempotency.kafka.ShareProcessor;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.AcknowledgementCommitCallback;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.core.DefaultShareConsumerFactory;
import org.springframework.kafka.core.ShareConsumerFactory;

/** Gives a share container Kafka consumers that handle their records themselves. Thread-safe; each consumer belongs to one thread of the container. */
final class ShareProcessors implements ShareConsumerFactory<Object, Object> {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final DefaultShareConsumerFactory<Object, Object> users;
    private final DefaultShareConsumerFactory<byte[], byte[]> bytes;
    private final Map<String, Object> kafka;
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer;
    private final MessageHandler<ConsumerRecord<Object, Object>> handler;
    private final BooleanSupplier isRunning;
    private final ShareMembers members;

    ShareProcessors(
            DefaultShareConsumerFactory<Object, Object> users,
            Map<String, Object> kafka,
            IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
            MessageHandler<ConsumerRecord<Object, Object>> handler,
            BooleanSupplier isRunning) {
        this.users = users;
        this.kafka = kafka;
        this.consumer = consumer;
        this.handler = handler;
        this.isRunning = isRunning;
        this.members = new ShareMembers(kafka);
        this.bytes = new DefaultShareConsumerFactory<>(ShareProcessor.consumer(kafka));
        users.getListeners().forEach(this::listen);
    }

    /** What listens to consumers, such as meters, does not look at their records. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private void listen(Listener<Object, Object> listener) {
        bytes.addListener((Listener) listener);
    }

    private ShareProcessor<Object, Object> processor() {
        return ShareProcessor.of(consumer, handler, kafka, keys(), values())
                .deliveryLimit(ShareProcessor.deliveryLimit(kafka));
    }

    /** Returns the deserializer of keys that the factory was given, if it was given one. */
    Optional<Deserializer<Object>> keys() {
        return Optional.ofNullable(configured(users.getKeyDeserializer(), true));
    }

    Optional<Deserializer<Object>> values() {
        return Optional.ofNullable(configured(users.getValueDeserializer(), false));
    }

    private @Nullable Deserializer<Object> configured(@Nullable Deserializer<Object> deserializer, boolean isKey) {
        if (deserializer != null && Boolean.TRUE.equals(AdaptedListener.field(users, "configureDeserializers"))) {
            deserializer.configure(kafka, isKey);
        }
        return deserializer;
    }

    @Override
    public ShareConsumer<Object, Object> createShareConsumer(@Nullable String groupId, @Nullable String clientId) {
        return new Handling(() -> bytes.createShareConsumer(groupId, clientId));
    }

    /** {@inheritDoc} What the container overrides, explicit acknowledgment, is set already. */
    @Override
    public ShareConsumer<Object, Object> createShareConsumer(
            @Nullable String groupId, @Nullable String clientId, Map<String, Object> overrides) {
        return createShareConsumer(groupId, clientId);
    }

    @Override
    public Map<String, Object> getConfigurationProperties() {
        return new HashMap<>(kafka);
    }

    /** A consumer that handles what it polls, and returns nothing. */
    private final class Handling implements ShareConsumer<Object, Object> {

        private final Supplier<ShareConsumer<byte[], byte[]>> connect;
        private final ShareMembers.Member place = members.member();
        private ShareConsumer<byte[], byte[]> member;
        private @Nullable ShareProcessor<Object, Object> processor;

        Handling(Supplier<ShareConsumer<byte[], byte[]>> connect) {
            this.connect = connect;
            this.member = connect.get();
        }

        @Override
        public ConsumerRecords<Object, Object> poll(Duration timeout) {
            ShareProcessor<Object, Object> handling = processor;
            if (handling == null) {
                handling = processor();
                processor = handling;
            }
            place.fetches();
            ConsumerRecords<byte[], byte[]> polled = member.poll(timeout);
            try {
                handling.process(member, polled, () -> !isRunning.getAsBoolean());
            } catch (WakeupException | InterruptException end) {
                throw end;
            } catch (RuntimeException failed) {
                log.error("A member of a share group failed; another one takes its place.", failed);
                replace();
            }
            return ConsumerRecords.empty();
        }

        /** What the member held is free then, and comes again. */
        private void replace() {
            Set<String> topics = member.subscription();
            place.closeAlone(member::close);
            member = connect.get();
            member.subscribe(topics);
        }

        @Override
        public void close() {
            try {
                leave(member::close);
            } finally {
                end();
            }
        }

        @Override
        public void close(Duration timeout) {
            try {
                leave(() -> member.close(timeout));
            } finally {
                end();
            }
        }

        private void leave(Runnable closing) {
            if (isRunning.getAsBoolean()) {
                place.closeAlone(closing);
            } else {
                place.closeWithOthers(member, closing);
            }
        }

        private void end() {
            if (processor != null) {
                processor.close();
            }
        }

        @Override
        public Set<String> subscription() {
            return member.subscription();
        }

        @Override
        public void subscribe(Collection<String> topics) {
            member.subscribe(topics);
        }

        @Override
        public void unsubscribe() {
            member.unsubscribe();
        }

        @Override
        public void acknowledge(ConsumerRecord<Object, Object> record) {
            throw own();
        }

        @Override
        public void acknowledge(ConsumerRecord<Object, Object> record, AcknowledgeType type) {
            throw own();
        }

        @Override
        public void acknowledge(String topic, int partition, long offset, AcknowledgeType type) {
            throw own();
        }

        private static IllegalStateException own() {
            return new IllegalStateException(
                    "An idempotent listener's records are acknowledged after their transaction, by the library alone");
        }

        @Override
        public Map<TopicIdPartition, Optional<KafkaException>> commitSync() {
            return member.commitSync();
        }

        @Override
        public Map<TopicIdPartition, Optional<KafkaException>> commitSync(Duration timeout) {
            return member.commitSync(timeout);
        }

        @Override
        public void commitAsync() {
            member.commitAsync();
        }

        @Override
        public void setAcknowledgementCommitCallback(AcknowledgementCommitCallback callback) {
            member.setAcknowledgementCommitCallback(callback);
        }

        @Override
        public Uuid clientInstanceId(Duration timeout) {
            return member.clientInstanceId(timeout);
        }

        @Override
        public Optional<Integer> acquisitionLockTimeoutMs() {
            return member.acquisitionLockTimeoutMs();
        }

        @Override
        public Map<MetricName, ? extends Metric> metrics() {
            return member.metrics();
        }

        @Override
        public void registerMetricForSubscription(KafkaMetric metric) {
            member.registerMetricForSubscription(metric);
        }

        @Override
        public void unregisterMetricFromSubscription(KafkaMetric metric) {
            member.unregisterMetricFromSubscription(metric);
        }

        @Override
        public void wakeup() {
            member.wakeup();
        }
    }
}
