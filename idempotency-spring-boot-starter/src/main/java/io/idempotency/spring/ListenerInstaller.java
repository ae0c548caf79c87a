package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.TopicRetention;
import io.idempotency.store.InvalidMessageIdException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.ExceptionClassifier;
import org.springframework.kafka.listener.ListenerContainerPauseService;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.FilteringMessageListenerAdapter;
import org.springframework.kafka.listener.adapter.RecordFilterStrategy;
import org.springframework.kafka.retrytopic.DestinationTopic;
import org.springframework.kafka.retrytopic.DestinationTopicResolver;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.transaction.interceptor.TransactionInterceptor;

/**
 * Puts the idempotent consumer in front of the listener of a container, and, as the first bean to start, {@link WaitingErrorHandler} in front
 * of its error handler: retry topics replace that after the container is made.
 */
final class ListenerInstaller implements SmartLifecycle, DisposableBean {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final int CHUNKS_PER_POLL_INTERVAL = 4;

    private final IdempotencyProperties properties;
    private final ConfiguredConsumers configured;
    private final ListenerBeans beans;
    private final IdempotentListeners listeners;
    private final Consumers consumers;
    private final ListenerChecks checks;
    private final Observations observations;
    /** Not a bean: there may be one of the application's own, or none on purpose. */
    private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

    private final ListenerContainerPauseService pauses;
    private final ObjectProvider<DestinationTopicResolver> retryTopics;
    private final ObjectProvider<TransactionInterceptor> interceptors;
    private final Map<AbstractMessageListenerContainer<Object, Object>, Installed> installed =
            new ConcurrentHashMap<>();
    private volatile boolean isRunning;

    private record Installed(
            IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
            SettledRecords settled,
            PollTime pollTime,
            Optional<Duration> rememberedFor,
            boolean isBatch,
            boolean isAwaited) {}

    ListenerInstaller(
            IdempotencyProperties properties,
            ListenerBeans beans,
            IdempotentListeners listeners,
            Consumers consumers,
            ListenerChecks checks,
            Observations observations,
            ObjectProvider<DestinationTopicResolver> retryTopics,
            ObjectProvider<TransactionInterceptor> interceptors) {
        this.properties = properties;
        this.configured = new ConfiguredConsumers(properties);
        this.beans = beans;
        this.listeners = listeners;
        this.consumers = consumers;
        this.checks = checks;
        this.observations = observations;
        scheduler.setThreadNamePrefix("idempotency-pauses-");
        scheduler.setDaemon(true);
        scheduler.initialize();
        this.pauses = new ListenerContainerPauseService(null, scheduler);
        this.retryTopics = retryTopics;
        this.interceptors = interceptors;
    }

    /** Installs the consumer of a listener, where its annotation or the properties say that it has one. */
    void install(Optional<ListenerDefinition> annotated, AbstractMessageListenerContainer<Object, Object> container) {
        configured.definition(annotated, container).ifPresent(found -> install(found, container));
    }

    boolean isInstalled(AbstractMessageListenerContainer<?, ?> container) {
        return installed.containsKey(container);
    }

    private void install(ListenerDefinition found, AbstractMessageListenerContainer<Object, Object> container) {
        ListenerDefinition listener = found.with(properties.consumer(found.name()));
        if (!properties.consumer(listener.name()).enabled()) {
            SwitchedOff.warn("idempotency.consumers." + listener.name() + ".enabled=false: " + listener);
            return;
        }
        Optional<DestinationTopic> retrying = retryTopic(container);
        // The handler of a dead-letter topic is no second processing of the message: the same id may come there again.
        if (retrying.filter(DestinationTopic::isDltTopic).isPresent()) {
            return;
        }
        Map<String, Object> kafka = kafkaProperties(container);
        Object target =
                Objects.requireNonNull(container.getContainerProperties().getMessageListener());
        boolean isRetry = retrying.filter(topic -> !topic.isMainTopic()).isPresent();
        checks.require(listener, consumers.level(listener), container, kafka, isRetry);
        if (isRetry) {
            Collections.addAll(
                    consumers.ids().retryTopics(listener),
                    Objects.requireNonNull(container.getContainerProperties().getTopics()));
        }
        boolean isAwaited = AwaitedHandler.await(
                target, TopicRetention.pollInterval(kafka).multipliedBy(9).dividedBy(10));
        boolean isBatch = target instanceof BatchMessageListener<?, ?>;
        ListenerDefinition sharing = isBatch ? listener.sharingTransactions() : listener;
        Installed with = new Installed(
                consumers.of(sharing, AdaptedListener.in(target), chunkTime(kafka), kafka),
                new SettledRecords(),
                new PollTime(chunkTime(kafka), System::nanoTime),
                consumers.rememberedFor(listener),
                isBatch,
                isAwaited);
        container.setupMessageListener(inFront(target, listener, with));
        installed.put(container, with);
        if (!isRetry) {
            log.info(Introduction.of(
                    listener,
                    consumers.level(listener),
                    consumers.store(listener),
                    properties.messageId(),
                    container.getContainerProperties()));
        }
        if (isRunning) {
            guard(container, with);
        }
    }

    @SuppressWarnings("unchecked")
    private Object inFront(Object target, ListenerDefinition listener, Installed with) {
        if (target instanceof BatchMessageListener<?, ?>) {
            return new BatchListener((BatchMessageListener<Object, Object>) target, with.consumer(), with.isAwaited());
        }
        MessageListener<Object, Object> records = (MessageListener<Object, Object>) target;
        if (listener.transactionPer().orElse(TransactionPer.RECORD) == TransactionPer.POLL) {
            return new PollListener(records, with.consumer());
        }
        if (target.getClass() == FilteringMessageListenerAdapter.class) {
            return behindFilter(
                    (FilteringMessageListenerAdapter<Object, Object>) target, inner -> recordListener(inner, with));
        }
        return recordListener(records, with);
    }

    private RecordListener recordListener(MessageListener<Object, Object> records, Installed with) {
        return new RecordListener(
                records, with.consumer(), with.settled(), with.pollTime(), observations, with.isAwaited());
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

    private void guard(AbstractMessageListenerContainer<Object, Object> container, Installed with) {
        CommonErrorHandler users = container.getCommonErrorHandler();
        if (users instanceof WaitingErrorHandler) {
            return;
        }
        if (users != null && !consumers.haveQuarantine()) {
            ListenerChecks.requireNoQuarantine(users, container);
        }
        doNotRetryWithoutId();
        container.setCommonErrorHandler(new WaitingErrorHandler(
                users == null ? quarantining(container) : users,
                with.consumer(),
                with.settled(),
                pauses,
                with.isBatch()));
    }

    /** Returns the error handler of a container that has none: Spring's own, which ends in quarantine. */
    private CommonErrorHandler quarantining(AbstractMessageListenerContainer<Object, Object> container) {
        if (consumers.haveQuarantine()) {
            return new DefaultErrorHandler(new QuarantineRecoverer());
        }
        checks.warnOfDroppedRecords(container);
        return new DefaultErrorHandler();
    }

    /** A message without a usable id does not get one on a retry topic. */
    private void doNotRetryWithoutId() {
        if (retryTopics.getIfAvailable() instanceof ExceptionClassifier classifier) {
            classifier.addNotRetryableExceptions(InvalidMessageIdException.class);
        }
    }

    /** Returns what the topic of the container is among main, retry and dead-letter topics, where there are such. */
    private Optional<DestinationTopic> retryTopic(AbstractMessageListenerContainer<Object, Object> container) {
        DestinationTopicResolver resolver = retryTopics.getIfAvailable();
        String main = container.getMainListenerId();
        String[] topics = container.getContainerProperties().getTopics();
        return resolver == null || main == null || topics == null || topics.length == 0
                ? Optional.empty()
                : Optional.ofNullable(resolver.getDestinationTopicByName(main, topics[0]));
    }

    private static Duration chunkTime(Map<String, Object> kafka) {
        return TopicRetention.pollInterval(kafka).dividedBy(CHUNKS_PER_POLL_INTERVAL);
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
        beans.requireListeners();
        beans.containers().filter(container -> !configured.isNoted(container)).forEach(this::installBound);
        listeners.requireAllCalled();
        configured.requireAllThere(beans);
        if (!installed.isEmpty()) {
            interceptors.forEach(ThrownThrough::noteIn);
        }
        installed.forEach(this::guard);
        installed.forEach((container, with) -> with.rememberedFor()
                .ifPresent(retention -> scheduler.execute(() -> compareRetention(container, retention))));
    }

    /** A container that spring-kafka did not make for an annotation. */
    @SuppressWarnings("unchecked")
    private void installBound(AbstractMessageListenerContainer<?, ?> container) {
        install(Optional.empty(), (AbstractMessageListenerContainer<Object, Object>) container);
    }

    /** Not on the starting thread: Kafka may be away. */
    private void compareRetention(AbstractMessageListenerContainer<Object, Object> container, Duration retention) {
        String[] topics = container.getContainerProperties().getTopics();
        if (topics == null || !container.isAutoStartup()) {
            return;
        }
        try (Admin admin = Admin.create(TopicRetention.admin(kafkaProperties(container)))) {
            TopicRetention.warnIfLonger(admin, List.of(topics), retention);
        } catch (KafkaException e) {
            log.info("The retention of {} could not be looked up: {}", List.of(topics), e.toString());
        }
    }

    @Override
    public void stop() {
        isRunning = false;
    }

    @Override
    public void destroy() {
        scheduler.shutdown();
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
