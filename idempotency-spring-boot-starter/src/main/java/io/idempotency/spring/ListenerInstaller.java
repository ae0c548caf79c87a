package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.store.InvalidMessageIdException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.env.Environment;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.ExceptionClassifier;
import org.springframework.kafka.listener.ListenerContainerPauseService;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.AsyncRepliesAware;
import org.springframework.kafka.listener.adapter.FilteringMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.retrytopic.DestinationTopic;
import org.springframework.kafka.retrytopic.DestinationTopicResolver;

/**
 * Puts the idempotent consumer in front of the listener of a container, and {@link WaitingErrorHandler} in front of its error handler.
 * As the first bean to start it does the latter again for containers whose error handler was replaced since, as by retry topics.
 */
final class ListenerInstaller implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(ListenerInstaller.class);
    private static final int CHUNKS_PER_POLL_INTERVAL = 4;

    private final IdempotencyProperties properties;
    private final Environment environment;
    private final IdempotentListeners listeners;
    private final Consumers consumers;
    private final ListenerChecks checks;
    private final Observations observations;
    private final ListenerContainerPauseService pauses;
    private final ObjectProvider<DestinationTopicResolver> retryTopics;
    private final Map<AbstractMessageListenerContainer<Object, Object>, SettledRecords> installed =
            new ConcurrentHashMap<>();
    private volatile boolean isRunning;

    ListenerInstaller(
            IdempotencyProperties properties,
            Environment environment,
            IdempotentListeners listeners,
            Consumers consumers,
            ListenerChecks checks,
            Observations observations,
            ListenerContainerPauseService pauses,
            ObjectProvider<DestinationTopicResolver> retryTopics) {
        this.properties = properties;
        this.environment = environment;
        this.listeners = listeners;
        this.consumers = consumers;
        this.checks = checks;
        this.observations = observations;
        this.pauses = pauses;
        this.retryTopics = retryTopics;
    }

    void install(ListenerDefinition annotated, AbstractMessageListenerContainer<Object, Object> container) {
        ListenerDefinition listener = annotated.named(environment.resolveRequiredPlaceholders(annotated.name()));
        if (!properties.consumer(listener.name()).enabled()) {
            log.warn(
                    "Consumer {} is switched off: {} runs without it, and without its transaction.",
                    listener.name(),
                    listener);
            return;
        }
        if (isDeadLetter(container)) {
            return;
        }
        Map<String, Object> kafka = kafkaProperties(container);
        Object target =
                Objects.requireNonNull(container.getContainerProperties().getMessageListener());
        requireDoneOnReturn(listener, target);
        checks.require(listener, consumers.level(listener), container, kafka);
        SettledRecords settled = new SettledRecords();
        container.setupMessageListener(inFront(target, listener, settled, kafka));
        installed.put(container, settled);
        guard(container, settled);
    }

    /**
     * Refuses results that come later. The container acknowledges a result that failed before its error handler sees it, so that a crash in
     * between loses the message; and an acknowledgment that is held back for it keeps the consumer paused for ever.
     */
    private static void requireDoneOnReturn(ListenerDefinition listener, Object target) {
        if (target instanceof AsyncRepliesAware replies && replies.isAsyncReplies()) {
            throw new ListenerRefusedException(
                    listener
                            + " returns before its work is done, with a CompletableFuture, a Mono or as a suspend function:"
                            + " spring-kafka commits the offset of a result that fails before it is tried again, so that a"
                            + " crash would lose the message",
                    "Let the method wait for the result, such as by join() or block(), and return it or nothing.");
        }
    }

    @SuppressWarnings("unchecked")
    private Object inFront(
            Object target, ListenerDefinition listener, SettledRecords settled, Map<String, Object> kafka) {
        if (target instanceof BatchMessageListener<?, ?>) {
            return new BatchListener(
                    (BatchMessageListener<Object, Object>) target,
                    consumers.of(listener.sharingTransactions(), chunkTime(kafka), kafka));
        }
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = consumers.of(listener, chunkTime(kafka), kafka);
        MessageListener<Object, Object> records = (MessageListener<Object, Object>) target;
        if (listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL) {
            return new PollListener(records, consumer);
        }
        if (target.getClass() == FilteringMessageListenerAdapter.class) {
            return behindFilter(
                    (FilteringMessageListenerAdapter<Object, Object>) target,
                    inner -> new RecordListener(inner, consumer, settled, observations));
        }
        return new RecordListener(records, consumer, settled, observations);
    }

    /** What a filter takes out is not consumed, so it is not claimed either; nor has the listener acknowledged it. */
    @SuppressWarnings("unchecked")
    private static Object behindFilter(
            FilteringMessageListenerAdapter<Object, Object> filtering,
            UnaryOperator<MessageListener<Object, Object>> inFront) {
        DirectFieldAccessor fields = new DirectFieldAccessor(filtering);
        return new FilteringMessageListenerAdapter<>(
                inFront.apply(filtering.getDelegate()),
                (RecordFilterStrategy<Object, Object>)
                        Objects.requireNonNull(fields.getPropertyValue("recordFilterStrategy")),
                Boolean.TRUE.equals(fields.getPropertyValue("ackDiscarded")));
    }

    private void guard(AbstractMessageListenerContainer<Object, Object> container, SettledRecords settled) {
        CommonErrorHandler users = container.getCommonErrorHandler();
        if (!(users instanceof WaitingErrorHandler)) {
            CommonErrorHandler own = users == null ? new DefaultErrorHandler() : users;
            doNotRetryWithoutId(own);
            doNotRetryWithoutId(retryTopics.getIfAvailable());
            container.setCommonErrorHandler(new WaitingErrorHandler(own, settled, pauses));
        }
    }

    /** A message without a usable id has none the next time either: it is recovered at once. */
    private static void doNotRetryWithoutId(@Nullable Object decides) {
        if (decides instanceof ExceptionClassifier classifier) {
            classifier.addNotRetryableExceptions(InvalidMessageIdException.class);
        }
    }

    /** The handler of a dead-letter topic is no second processing of the message: the same id may come there again. */
    private boolean isDeadLetter(AbstractMessageListenerContainer<Object, Object> container) {
        DestinationTopicResolver resolver = retryTopics.getIfAvailable();
        String main = container.getMainListenerId();
        String[] topics = container.getContainerProperties().getTopics();
        if (resolver == null || main == null || topics == null || topics.length == 0) {
            return false;
        }
        DestinationTopic topic = resolver.getDestinationTopicByName(main, topics[0]);
        return topic != null && topic.isDltTopic();
    }

    private static Duration chunkTime(Map<String, Object> kafka) {
        Object configured = kafka.getOrDefault(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, 300_000);
        return Duration.ofMillis(Long.parseLong(configured.toString().trim()) / CHUNKS_PER_POLL_INTERVAL);
    }

    /** A container has no accessor for its consumer factory. */
    private static Map<String, Object> kafkaProperties(AbstractMessageListenerContainer<Object, Object> container) {
        ConsumerFactory<?, ?> factory =
                (ConsumerFactory<?, ?>) new DirectFieldAccessor(container).getPropertyValue("consumerFactory");
        Map<String, Object> kafka = new HashMap<>();
        if (factory != null) {
            kafka.putAll(factory.getConfigurationProperties());
        }
        container
                .getContainerProperties()
                .getKafkaConsumerProperties()
                .forEach((name, value) -> kafka.put(name.toString(), value));
        return kafka;
    }

    @Override
    public void start() {
        isRunning = true;
        listeners.requireAllCalled();
        installed.forEach((container, settled) -> {
            guard(container, settled);
            checks.warnOf(container);
        });
    }

    @Override
    public void stop() {
        isRunning = false;
    }

    @Override
    public boolean isRunning() {
        return isRunning;
    }

    /** Before any container. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }
}
