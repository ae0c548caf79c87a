package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.IdempotentConsumer;
import io.idempotency.kafka.TopicRetention;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.event.ConsumerStartingEvent;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ListenerContainerPauseService;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.ShareKafkaMessageListenerContainer;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.interceptor.TransactionInterceptor;

/**
 * Installs idempotent consumers in containers: in front of a listener as soon as its container is made, and in front of its error handler as
 * the first bean to start, because retry topics replace the error handler of a container after it is made.
 */
final class ListenerInstaller implements SmartLifecycle, DisposableBean {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final ConfiguredConsumers configured;
    private final ListenerBeans beans;
    private final IdempotentListeners listeners;
    private final ContainerFitter fitter;
    private final ShareListeners shares;
    private final boolean hasKeyOrder;
    private final ObjectProvider<TransactionInterceptor> interceptors;
    private final ObjectProvider<PlatformTransactionManager> managers;
    private final ObjectProvider<ListenerReplays> replays;
    /** Not a bean: the application may have one of its own, or none on purpose. */
    private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

    private final PartitionWaits waits;
    private final Map<AbstractMessageListenerContainer<Object, Object>, FittedContainer> installed =
            new ConcurrentHashMap<>();
    private volatile boolean isRunning;

    ListenerInstaller(
            IdempotencyProperties properties,
            ConfigurableListableBeanFactory beans,
            IdempotentListeners listeners,
            ContainerFitter fitter,
            ShareListeners shares) {
        this.configured = new ConfiguredConsumers(properties);
        this.beans = new ListenerBeans(beans);
        this.listeners = listeners;
        this.fitter = fitter;
        this.shares = shares;
        this.hasKeyOrder = properties.quarantine().keyOrder();
        this.interceptors = beans.getBeanProvider(TransactionInterceptor.class);
        this.managers = beans.getBeanProvider(PlatformTransactionManager.class);
        this.replays = beans.getBeanProvider(ListenerReplays.class);
        scheduler.setThreadNamePrefix("idempotency-pauses-");
        scheduler.setDaemon(true);
        scheduler.initialize();
        this.waits = new PartitionWaits(new ListenerContainerPauseService(null, scheduler));
    }

    /** Installs the consumer of a listener, if its annotation or the properties name one. */
    void install(Optional<ListenerDefinition> annotated, AbstractMessageListenerContainer<Object, Object> container) {
        configured
                .definition(annotated, container)
                .flatMap(found -> fitter.fitListener(found, container))
                .ifPresent(fitted -> {
                    installed.put(container, fitted);
                    if (fitter.isReplayed(fitted)) {
                        replays.ifAvailable(all -> all.add(container, fitted));
                    }
                    if (isRunning) {
                        fitter.fitErrorHandler(container, fitted, waits);
                        watchCommits(fitted);
                    }
                });
    }

    boolean isInstalled(AbstractMessageListenerContainer<?, ?> container) {
        return installed.containsKey(container);
    }

    @Override
    public void start() {
        isRunning = true;
        beans.requireListeners();
        beans.containers().filter(container -> !configured.isNoted(container)).forEach(this::installUnnoted);
        beans.ownShareContainers()
                .filter(container -> !shares.isInstalled(container))
                .forEach(this::installShared);
        listeners.requireAllCalled();
        configured.requireAllThere(beans);
        if (installed.values().stream().anyMatch(fitted -> !fitted.isShadow())) {
            interceptors.forEach(ThrownThrough::noteIn);
        }
        installed.forEach((container, fitted) -> fitter.fitErrorHandler(container, fitted, waits));
        installed.values().forEach(this::watchCommits);
        if (hasKeyOrder && installed.values().stream().anyMatch(fitter::isReplayed)) {
            warnIfNothingFollows(replays.getIfAvailable());
        }
        installed.forEach((container, fitted) -> fitted.rememberedFor()
                .ifPresent(retention -> scheduler.execute(() -> compareRetention(container, retention))));
    }

    private void watchCommits(FittedContainer fitted) {
        if (fitted.commitsAlone()) {
            managers.forEach(AbortedCommits::refuseIn);
        }
    }

    /** Messages behind others follow in replays. */
    private static void warnIfNothingFollows(@Nullable ListenerReplays replays) {
        if (replays == null || !replays.isPossible()) {
            log.warn(
                    "idempotency.quarantine.key-order=true, but this application carries out no replays: {}. Messages that are quarantined"
                            + " behind an earlier one of their key follow only if another application with the same listeners carries out"
                            + " replays.",
                    replays == null
                            ? "idempotency.replay.enabled=false"
                            : "there is no ReplayStore bean beside the QuarantineStore");
        }
    }

    private void installShared(ShareKafkaMessageListenerContainer<Object, Object> container) {
        listeners.annotated(container).ifPresent(listener -> {
            refuseIf(
                    container.isRunning(),
                    listener + " has no effect: its container runs already",
                    "Start the container later.");
            configured.noteShared(listener, container);
            shares.install(listener, container);
            listeners.called(listener);
        });
    }

    /** A program made the container, or a parent of this context has it. */
    @SuppressWarnings("unchecked")
    private void installUnnoted(AbstractMessageListenerContainer<?, ?> container) {
        Optional<ListenerDefinition> annotated = listeners.annotated(container);
        refuseIf(
                container.isRunning() && annotated.isPresent(),
                annotated.map(ListenerDefinition::toString).orElse("") + " has no effect: its container runs already",
                "Start the container later, or have the auto-configuration in the context of the container.");
        install(annotated, (AbstractMessageListenerContainer<Object, Object>) container);
    }

    /** Refuses listeners of a child context that has no starter: there nobody installs a consumer. */
    @EventListener
    void onRefresh(ContextRefreshedEvent event) {
        if (event.getApplicationContext() instanceof ConfigurableApplicationContext context) {
            ListenerBeans child = new ListenerBeans(context.getBeanFactory());
            (child.hasStarter() ? Stream.<AbstractMessageListenerContainer<?, ?>>empty() : child.ownContainers())
                    .flatMap(container -> listeners.annotated(container).stream())
                    .findFirst()
                    .ifPresent(listener -> refuseIf(
                            true,
                            listener + " has no effect: it is in a child context without the auto-configuration",
                            "Have the auto-configuration in the child context, too, or the listener in the parent."));
        }
    }

    /** Stops a container that a program made after the start, and whose listener would run without its consumer. */
    @EventListener
    void onStarting(ConsumerStartingEvent event) {
        MessageListenerContainer starting = event.getContainer(MessageListenerContainer.class);
        boolean isUnnoted = starting instanceof AbstractMessageListenerContainer<?, ?> container
                ? !configured.isNoted(container) && beans.ownContainers().anyMatch(own -> own == container)
                : starting instanceof ShareKafkaMessageListenerContainer<?, ?> shared
                        && !shares.isInstalled(shared)
                        && beans.ownShareContainers().anyMatch(own -> own == shared);
        if (isUnnoted) {
            listeners.annotated(starting).ifPresent(listener -> {
                log.error(
                        "{} is stopped: its container was made after the start of the application, so it has no idempotent consumer."
                                + " Pass the container to IdempotentContainers.bind(..) before it starts.",
                        listener);
                // A share container waits for the thread that tells of its start.
                scheduler.execute(() -> starting.stop(() -> {}));
            });
        }
    }

    /** Runs on a thread of its own: Kafka may be away. */
    private static void compareRetention(
            AbstractMessageListenerContainer<Object, Object> container, Duration retention) {
        String[] topics = container.getContainerProperties().getTopics();
        if (topics == null || !container.isAutoStartup()) {
            return;
        }
        try (Admin admin = Admin.create(TopicRetention.admin(ContainerFitter.kafkaProperties(container)))) {
            TopicRetention.warnIfLonger(admin, List.of(topics), retention);
        } catch (KafkaException e) {
            log.info("The retention of {} could not be looked up: {}", List.of(topics), e.toString());
        }
    }

    /** {@inheritDoc} The containers have stopped, and the data source is still there: shadow consumers take what they watched to the store. */
    @Override
    public void stop() {
        isRunning = false;
        installed.values().stream()
                .filter(FittedContainer::isShadow)
                .map(FittedContainer::consumer)
                .distinct()
                .forEach(IdempotentConsumer::close);
    }

    @Override
    public void destroy() {
        scheduler.shutdown();
    }

    @Override
    public boolean isRunning() {
        return isRunning;
    }

    /** {@inheritDoc} Starts before any container. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }
}
