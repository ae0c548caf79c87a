package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import java.util.Optional;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/**
 * Makes the listeners of containers idempotent that a program creates and that cannot be annotated. Injected as a bean:
 *
 * <pre>{@code
 * @Bean
 * ConcurrentMessageListenerContainer<String, String> payments(
 *         ConsumerFactory<String, String> consumers, IdempotentContainers idempotent) {
 *     ContainerProperties properties = new ContainerProperties("payments");
 *     properties.setMessageListener((MessageListener<String, String>) this::post);
 *     return idempotent.bind("billing", new ConcurrentMessageListenerContainer<>(consumers, properties));
 * }
 * }</pre>
 *
 * <p>The properties {@code idempotency.consumers.<name>.*} stand in for the attributes of the annotation. A listener with an id needs no code:
 * {@code idempotency.consumers.<name>.listeners=<id>} binds it. Thread-safe.
 */
public final class IdempotentContainers {

    private final ObjectProvider<ListenerInstaller> installer;

    IdempotentContainers(ObjectProvider<ListenerInstaller> installer) {
        this.installer = installer;
    }

    /**
     * Puts the idempotent consumer of this name in front of the listener of a container that has not been started. Returns the container.
     *
     * @param <C> the kind of container
     * @throws ListenerRefusedException if the container is running, has no listener or has a consumer already, or if its settings would weaken the
     *     guarantee; the message says what to change
     */
    @SuppressWarnings("unchecked")
    public <C extends AbstractMessageListenerContainer<?, ?>> C bind(String consumer, C container) {
        refuseIf(
                container.isRunning(),
                "The container " + ConfiguredConsumers.id(container) + " runs already, so consumer " + consumer
                        + " cannot be put in front of its listener",
                "Bind it before it is started.");
        refuseIf(
                container.getContainerProperties().getMessageListener() == null,
                "The container " + ConfiguredConsumers.id(container) + " has no listener that consumer " + consumer
                        + " could be put in front of",
                "Set its message listener first.");
        refuseIf(
                installer.getObject().isInstalled(container),
                "The container " + ConfiguredConsumers.id(container) + " has a consumer already, and consumer "
                        + consumer + " would claim each message once more",
                "Bind it once, and not at all if its listener is annotated.");
        installer
                .getObject()
                .install(
                        Optional.of(ListenerDefinition.bound(consumer, container)),
                        (AbstractMessageListenerContainer<Object, Object>) container);
        return container;
    }
}
