package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.RetryPolicy;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.ShareProcessor;
import io.idempotency.kafka.TopicRetention;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.kafka.core.DefaultShareConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.GenericMessageListener;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.ShareKafkaMessageListenerContainer;
import org.springframework.kafka.listener.adapter.ShareRecordMessagingMessageListenerAdapter;

/**
 * Makes the listeners of share containers idempotent. Such a container calls its listener with one record after the other on the thread that polls, keeps the object of a record that
 * is renewed, and rejects what fails. So it gets Kafka consumers whose {@code poll} hands the records to the listener by a {@link ShareProcessor}, and returns none: what the container
 * keeps is its life, its threads and its events. Thread-safe.
 */
final class ShareListeners {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final int CHUNKS_PER_POLL_INTERVAL = 4;
    /** Its container has no setter for it. */
    private static final String FACTORY = "shareConsumerFactory";

    private final IdempotencyProperties properties;
    private final Consumers consumers;
    private final ListenerChecks checks;
    private final ObjectProvider<ListenerReplays> replays;
    private final Set<ShareKafkaMessageListenerContainer<?, ?>> installed = ConcurrentHashMap.newKeySet();

    ShareListeners(
            IdempotencyProperties properties,
            Consumers consumers,
            ListenerChecks checks,
            ObjectProvider<ListenerReplays> replays) {
        this.replays = replays;
        this.properties = properties;
        this.consumers = consumers;
        this.checks = checks;
    }

    boolean isInstalled(ShareKafkaMessageListenerContainer<?, ?> container) {
        return installed.contains(container);
    }

    /** Returns whether the Kafka consumers of a container have been replaced. */
    static boolean isIdempotent(MessageListenerContainer container) {
        return container instanceof ShareKafkaMessageListenerContainer<?, ?>
                && AdaptedListener.field(container, FACTORY) instanceof ShareProcessors;
    }

    /**
     * Replaces the Kafka consumers of a container that has not started.
     *
     * @throws ListenerRefusedException if the listener or its container would weaken the guarantee
     */
    void install(ListenerDefinition found, ShareKafkaMessageListenerContainer<Object, Object> container) {
        ListenerDefinition listener = found.with(properties.consumer(found.name()));
        String store = consumers.store(listener);
        installed.add(container);
        if (!properties.consumer(listener.name()).enabled()) {
            SwitchedOff.warnShared("idempotency.consumers." + listener.name() + ".enabled=false: " + listener);
            return;
        }
        ContainerProperties settings = container.getContainerProperties();
        DirectFieldAccessor fields = new DirectFieldAccessor(container);
        Object factory = Objects.requireNonNull(fields.getPropertyValue(FACTORY));
        ShareChecks.requireFactory(listener, factory);
        @SuppressWarnings("unchecked")
        DefaultShareConsumerFactory<Object, Object> users = (DefaultShareConsumerFactory<Object, Object>) factory;
        Map<String, Object> kafka = new HashMap<>(users.getConfigurationProperties());
        kafka.put(ConsumerConfig.GROUP_ID_CONFIG, Objects.requireNonNullElse(container.getGroupId(), ""));
        ConsistencyLevel level = consumers.level(listener);
        ShareChecks.require(listener, level, properties);
        refuseIf(
                properties.consumer(listener.name()).startFrom() == IdempotencyProperties.StartFrom.STORE,
                listener
                        + " is on a share group, which has no committed offsets: the broker keeps which records are settled",
                "Remove " + StartingConsumers.property(listener) + ".");
        ShareChecks.requireContainer(
                listener, settings, Objects.requireNonNull(fields.getPropertyValue("recordRecoverer")), kafka);
        ShareChecks.requireDeserializers(listener, users, kafka);
        refuseIf(
                consumers.isPartitioned(listener),
                listener
                        + " is on a share group, which delivers records in any order, and its store remembers them in the order of their partition",
                "Give this listener the table store, by store = \"table\" or idempotency.consumers." + listener.name()
                        + ".store=table.");
        checks.requireShared(listener, level, settings, kafka);
        Object target = Objects.requireNonNull(settings.getMessageListener());
        ShareChecks.requireListener(listener, target);
        Duration pollInterval = TopicRetention.pollInterval(kafka);
        // Declared futures are refused. A method that declares Object may return one all the same.
        boolean unused = AwaitedHandler.await(target, AwaitedHandler.within(pollInterval));
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = consumers.of(
                listener,
                AdaptedListener.in(target),
                FailurePolicy.quarantineAfter(RetryPolicy.DEFAULT_ATTEMPTS),
                pollInterval.dividedBy(CHUNKS_PER_POLL_INTERVAL),
                kafka);
        MessageHandler<ConsumerRecord<Object, Object>> handler = handler(target, level);
        ShareProcessors processors = new ShareProcessors(users, kafka, consumer, handler, container::isRunning);
        fields.setPropertyValue(FACTORY, processors);
        replays.ifAvailable(all -> all.add(consumer, new ReplayedShare(container, processors, handler)));
        log.info(Introduction.of(
                listener,
                level,
                new Introduction.Kept(
                        store, TransactionPer.RECORD, consumers.retention(listener), consumers.quarantine()),
                properties.messageId(),
                settings));
    }

    /** Calls the listener as its container does in the mode in which it acknowledges by itself. */
    @SuppressWarnings("unchecked")
    private static MessageHandler<ConsumerRecord<Object, Object>> handler(Object target, ConsistencyLevel level) {
        if (target instanceof ShareRecordMessagingMessageListenerAdapter<?, ?> adapter) {
            ShareRecordMessagingMessageListenerAdapter<Object, Object> listener =
                    (ShareRecordMessagingMessageListenerAdapter<Object, Object>) adapter;
            return handler(level, record -> listener.onShareRecord(record, null, null));
        }
        return handler(level, ((GenericMessageListener<ConsumerRecord<Object, Object>>) target)::onMessage);
    }

    /** A deserializer inside another one may hide failures, too. */
    private static MessageHandler<ConsumerRecord<Object, Object>> handler(
            ConsistencyLevel level, Consumer<ConsumerRecord<Object, Object>> listener) {
        return (record, claim) -> {
            PollListener.requireDeserialized(record);
            Outputs.awaited(level, () -> listener.accept(record));
        };
    }
}
