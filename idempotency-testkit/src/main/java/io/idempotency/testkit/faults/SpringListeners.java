package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.support.TopicPartitionOffset;

/** Finds the listener of an application that gets the messages of a test, and what sends them. */
record SpringListeners(ApplicationContext context) {

    private static final String TEMPLATE = "kafkaTemplate";

    /**
     * Returns the listener that is named, or the only one of these messages.
     *
     * @throws MisuseException if there is none, or there are several
     */
    Subject listener(List<Application.Sent> messages, Optional<String> listener, Duration patience) {
        Set<String> topics = messages.stream().map(Application.Sent::topic).collect(Collectors.toSet());
        AbstractMessageListenerContainer<?, ?> container =
                listener.map(this::named).orElseGet(() -> listening(topics));
        return new SpringListener(
                new SpringContainer(container, SpringFaults.of(context)),
                new SpringSender(template(), messages),
                patience);
    }

    private KafkaTemplate<?, ?> template() {
        KafkaTemplate<?, ?> only = context.getBeanProvider(KafkaTemplate.class).getIfUnique();
        if (only != null) {
            return only;
        }
        if (context.containsBean(TEMPLATE)) {
            return context.getBean(TEMPLATE, KafkaTemplate.class);
        }
        throw new MisuseException(
                "send(..) needs one KafkaTemplate, a primary one, or one with the name kafkaTemplate. The application has "
                        + context.getBeansOfType(KafkaTemplate.class).keySet());
    }

    private AbstractMessageListenerContainer<?, ?> named(String id) {
        return containers()
                .filter(container -> id.equals(container.getListenerId()))
                .findFirst()
                .orElseThrow(() -> new MisuseException("No listener has the id " + id + ". " + known()));
    }

    private AbstractMessageListenerContainer<?, ?> listening(Set<String> topics) {
        List<AbstractMessageListenerContainer<?, ?>> found = containers()
                .filter(container -> topics.stream().allMatch(topic -> listens(container, topic)))
                .toList();
        if (found.isEmpty()) {
            throw new MisuseException("No listener of the application gets messages of " + topics + ". " + known());
        }
        if (found.size() > 1) {
            throw new MisuseException(
                    "Several listeners get messages of " + topics + ". Name one by listener(id). " + known());
        }
        return found.get(0);
    }

    private static boolean listens(AbstractMessageListenerContainer<?, ?> container, String topic) {
        return topics(container).anyMatch(topic::equals)
                || (container.getContainerProperties().getTopicPattern() != null
                        && container
                                .getContainerProperties()
                                .getTopicPattern()
                                .matcher(topic)
                                .matches());
    }

    private static Stream<String> topics(AbstractMessageListenerContainer<?, ?> container) {
        String[] names = container.getContainerProperties().getTopics();
        TopicPartitionOffset[] partitions = container.getContainerProperties().getTopicPartitions();
        return Stream.concat(
                names == null ? Stream.empty() : Stream.of(names),
                partitions == null ? Stream.empty() : Stream.of(partitions).map(TopicPartitionOffset::getTopic));
    }

    private Stream<AbstractMessageListenerContainer<?, ?>> containers() {
        Stream<?> registered = context.getBeansOfType(KafkaListenerEndpointRegistry.class).values().stream()
                .flatMap(registry -> registry.getAllListenerContainers().stream());
        return Stream.concat(
                        registered, context.getBeansOfType(AbstractMessageListenerContainer.class).values().stream())
                .filter(AbstractMessageListenerContainer.class::isInstance)
                .<AbstractMessageListenerContainer<?, ?>>map(AbstractMessageListenerContainer.class::cast)
                .distinct();
    }

    private String known() {
        TreeMap<String, String> listeners = containers()
                .collect(Collectors.toMap(
                        container -> String.valueOf(container.getListenerId()),
                        container -> topics(container).toList().toString(),
                        (first, second) -> first,
                        TreeMap::new));
        return "There are: " + listeners;
    }
}
