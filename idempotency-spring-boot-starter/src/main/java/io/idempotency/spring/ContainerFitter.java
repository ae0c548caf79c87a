package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.TopicRetention;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.FilteringMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;

/** Puts the idempotent consumer in front of the listener of a container, and {@link WaitingErrorHandler} in front of its error handler. */
final class ContainerFitter {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final int CHUNKS_PER_POLL_INTERVAL = 4;
    static final String CONSUMER_FACTORY = "consumerFactory";

    private final IdempotencyProperties properties;
    private final Consumers consumers;
    private final ListenerChecks checks;
    private final Observations observations;
    private final RetryTopics retryTopics;
    private final ObjectProvider<OutboxTemplate<?, ?>> outbox;

    ContainerFitter(
            IdempotencyProperties properties,
            Consumers consumers,
            ListenerChecks checks,
            Observations observations,
            RetryTopics retryTopics,
            ObjectProvider<OutboxTemplate<?, ?>> outbox) {
        this.properties = properties;
        this.consumers = consumers;
        this.checks = checks;
        this.observations = observations;
        this.retryTopics = retryTopics;
        this.outbox = outbox;
    }

    /**
     * Replaces the listener of a container. Leaves it alone if the consumer is switched off, or if the container handles a dead-letter topic.
     *
     * @throws ListenerRefusedException if the listener or its container would weaken the guarantee
     */
    Optional<FittedContainer> fitListener(
            ListenerDefinition found, AbstractMessageListenerContainer<Object, Object> container) {
        ListenerDefinition listener = configured(found, container);
        String store = consumers.store(listener);
        if (!properties.consumer(listener.name()).enabled()) {
            SwitchedOff.warn("idempotency.consumers." + listener.name() + ".enabled=false: " + listener);
            return Optional.empty();
        }
        // A message may come to its dead-letter topic more than once, and each arrival is an event of its own.
        if (retryTopics.isDeadLetter(container)) {
            return Optional.empty();
        }
        boolean isRetry = retryTopics.isRetry(container);
        Map<String, Object> kafka = kafkaProperties(container);
        require(listener, container, kafka, isRetry);
        startFromStore(listener, container);
        if (isRetry) {
            Collections.addAll(
                    consumers.ids().retryTopics(listener),
                    Objects.requireNonNull(container.getContainerProperties().getTopics()));
        }
        Object target =
                Objects.requireNonNull(container.getContainerProperties().getMessageListener());
        routeReplies(listener, store, AdaptedListener.in(target));
        FittedContainer fitted = fitted(listener, target, kafka, isRetry);
        container.setupMessageListener(fitted.listener());
        if (!isRetry) {
            introduce(
                    listener,
                    new Introduction.Kept(
                            store,
                            fitted.isBatch()
                                    ? TransactionPer.POLL
                                    : listener.transactionPer().orElse(TransactionPer.RECORD),
                            consumers.retention(listener),
                            consumers.quarantine()),
                    container);
        }
        return Optional.of(fitted);
    }

    /** Sends replies through the outbox, if there is one, and the reply belongs to the transaction of the claim. */
    private void routeReplies(ListenerDefinition listener, String store, AdaptedListener adapted) {
        OutboxTemplate<?, ?> template = outbox.getIfAvailable();
        boolean isRouted = template != null
                && !listener.isShadow()
                && (store.equals(Stores.TABLE) || store.equals(Stores.JOURNAL))
                && consumers.level(listener) == ConsistencyLevel.STRONG
                && !adapted.isAsync()
                && adapted.replyBy(template);
        if (!isRouted) {
            ListenerChecks.warnOfReplies(listener);
        }
    }

    /** Returns the listener as the properties have it. What they say of all listeners concerns those for records that have transactions of the library. */
    private ListenerDefinition configured(
            ListenerDefinition found, AbstractMessageListenerContainer<Object, Object> container) {
        ListenerDefinition listener = found.with(properties.consumer(found.name()));
        boolean isForRecords =
                !(container.getContainerProperties().getMessageListener() instanceof BatchMessageListener<?, ?>);
        return isForRecords && consumers.level(listener) == ConsistencyLevel.STRONG
                ? listener.orTransactionPer(properties.transactionPer())
                : listener;
    }

    private void startFromStore(
            ListenerDefinition listener, AbstractMessageListenerContainer<Object, Object> container) {
        if (properties.consumer(listener.name()).startFrom() == IdempotencyProperties.StartFrom.STORE) {
            StartingConsumers.require(listener, consumers.level(listener), container.getContainerProperties());
            StartingConsumers.install(container, listener.name(), consumers.offsets(listener));
        }
    }

    /** In shadow mode the application may do whatever it may without the library. What the real run refuses is told. */
    private void require(
            ListenerDefinition listener,
            AbstractMessageListenerContainer<Object, Object> container,
            Map<String, Object> kafka,
            boolean isRetry) {
        ConsistencyLevel level = consumers.level(listener);
        ListenerChecks.refuseIf(
                listener.isShadow() && level == ConsistencyLevel.NONE,
                listener + " is to be watched in shadow mode at level NONE, which skips nothing",
                "Set the level of the real run, or remove shadow.");
        try {
            checks.require(listener, level, container, kafka, isRetry);
        } catch (ListenerRefusedException e) {
            if (!listener.isShadow()) {
                throw e;
            }
            log.warn("In shadow mode the start goes on. Without it, the start would be refused. {}", e.getMessage());
        }
    }

    private FittedContainer fitted(
            ListenerDefinition listener, Object target, Map<String, Object> kafka, boolean isRetry) {
        Duration pollInterval = TopicRetention.pollInterval(kafka);
        Duration chunkTime = pollInterval.dividedBy(CHUNKS_PER_POLL_INTERVAL);
        boolean isAwaited = !listener.isShadow() && AwaitedHandler.await(target, AwaitedHandler.within(pollInterval));
        boolean isBatch = target instanceof BatchMessageListener<?, ?>;
        ListenerDefinition sharing = isBatch ? listener.sharingTransactions() : listener;
        return new FittedContainer(
                consumers.of(sharing, AdaptedListener.in(target), chunkTime, kafka),
                new SettledRecords(),
                new PollTime(chunkTime, System::nanoTime),
                consumers.rememberedFor(listener),
                isBatch,
                isAwaited,
                isRetry,
                fitted -> listener.isShadow() ? beside(target, fitted) : inFront(target, listener, fitted));
    }

    private void introduce(
            ListenerDefinition listener,
            Introduction.Kept kept,
            AbstractMessageListenerContainer<Object, Object> container) {
        log.info(Introduction.of(
                listener, consumers.level(listener), kept, properties.messageId(), container.getContainerProperties()));
    }

    @SuppressWarnings("unchecked")
    private Object inFront(Object target, ListenerDefinition listener, FittedContainer fitted) {
        if (target instanceof BatchMessageListener<?, ?>) {
            return new BatchListener(
                    (BatchMessageListener<Object, Object>) target, fitted.consumer(), fitted.isAwaited());
        }
        MessageListener<Object, Object> records = (MessageListener<Object, Object>) target;
        if (listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL) {
            return new PollListener(records, fitted.consumer());
        }
        if (target.getClass() == FilteringMessageListenerAdapter.class) {
            return behindFilter(
                    (FilteringMessageListenerAdapter<Object, Object>) target,
                    inner -> new RecordListener(inner, fitted, observations));
        }
        return new RecordListener(records, fitted, observations);
    }

    /** Lets the listener be as it is. Filtered records are not watched, because a real run does not claim them. */
    @SuppressWarnings("unchecked")
    private static Object beside(Object target, FittedContainer fitted) {
        return target.getClass() == FilteringMessageListenerAdapter.class
                ? behindFilter((FilteringMessageListenerAdapter<Object, Object>) target, inner ->
                        (MessageListener<Object, Object>) ShadowListener.beside(inner, fitted.consumer()))
                : ShadowListener.beside(target, fitted.consumer());
    }

    /** Moves the filter in front: filtered records are neither claimed nor acknowledged by the listener. */
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

    /**
     * Replaces the error handler of a container, once. One in shadow mode keeps its own.
     *
     * @throws ListenerRefusedException if it quarantines records and there is no quarantine
     */
    void fitErrorHandler(
            AbstractMessageListenerContainer<Object, Object> container, FittedContainer fitted, PartitionWaits waits) {
        CommonErrorHandler users = container.getCommonErrorHandler();
        if (users instanceof WaitingErrorHandler || fitted.isShadow()) {
            return;
        }
        if (users != null && !consumers.haveQuarantine()) {
            ListenerChecks.requireNoQuarantine(users, container);
        }
        retryTopics.doNotRetryWithoutId();
        container.setCommonErrorHandler(new WaitingErrorHandler(
                users == null ? quarantining(container) : users,
                fitted.consumer(),
                fitted.settled(),
                waits,
                fitted.isBatch()));
    }

    /** Returns whether messages of the consumer can be in quarantine. */
    boolean isReplayed(FittedContainer fitted) {
        return !fitted.isShadow() && consumers.haveQuarantine();
    }

    /** Returns the error handler of a container that has none: Spring's own, which ends in quarantine. */
    private CommonErrorHandler quarantining(AbstractMessageListenerContainer<Object, Object> container) {
        if (consumers.haveQuarantine()) {
            return new DefaultErrorHandler(new QuarantineRecoverer());
        }
        ListenerChecks.warnOfDroppedRecords(container);
        return new DefaultErrorHandler();
    }

    /** Returns the factory of the container's Kafka consumers that the application has made. The container has no accessor for it. */
    @SuppressWarnings("unchecked")
    static Optional<ConsumerFactory<Object, Object>> consumerFactory(
            AbstractMessageListenerContainer<Object, Object> container) {
        return Optional.ofNullable((ConsumerFactory<Object, Object>)
                        new DirectFieldAccessor(container).getPropertyValue(CONSUMER_FACTORY))
                .map(factory -> factory instanceof StartingConsumers starting ? starting.users() : factory);
    }

    /** Returns the properties of the container's Kafka consumers. */
    static Map<String, Object> kafkaProperties(AbstractMessageListenerContainer<Object, Object> container) {
        Map<String, Object> kafka = new HashMap<>();
        consumerFactory(container).ifPresent(factory -> kafka.putAll(factory.getConfigurationProperties()));
        container
                .getContainerProperties()
                .getKafkaConsumerProperties()
                .forEach((name, value) -> kafka.put(name.toString(), value));
        return kafka;
    }
}
