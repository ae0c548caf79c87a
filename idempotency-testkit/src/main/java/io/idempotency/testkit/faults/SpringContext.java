package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.test.context.junit.jupiter.SpringExtension;
import org.springframework.test.context.transaction.TestTransaction;

/** The application context of a test. */
final class SpringContext implements Application {

    private static final String REFUSAL = "io.idempotency.spring.ListenerRefusedException";
    /** Why contexts of test classes did not start. Spring tries it once, and tells later tests only that it failed. */
    private static final Map<Class<?>, String> REFUSED = new ConcurrentHashMap<>();

    private static final String TEMPLATE = "kafkaTemplate";

    private final ApplicationContext context;

    private SpringContext(ApplicationContext context) {
        this.context = context;
    }

    /**
     * Returns the context of a test, and starts it if it is not there.
     *
     * @throws MisuseException if the library refuses a listener at the start
     */
    static SpringContext of(ExtensionContext test) {
        String known = REFUSED.get(test.getRequiredTestClass());
        if (known != null) {
            throw new MisuseException(known);
        }
        try {
            return new SpringContext(SpringExtension.getApplicationContext(test));
        } catch (IllegalStateException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause.getClass().getName().equals(REFUSAL)) {
                    String refused =
                            "The application does not start, so no message can be lost or doubled: the library refuses a"
                                    + " listener. " + cause.getMessage();
                    REFUSED.put(test.getRequiredTestClass(), refused);
                    throw new MisuseException(refused, e);
                }
            }
            throw e;
        }
    }

    @Override
    public Probe probe() {
        return SpringFaults.of(context).probe();
    }

    @Override
    public DataSource dataSource() {
        try {
            return context.getBean(DataSource.class);
        } catch (NoSuchBeanDefinitionException e) {
            throw new MisuseException(
                    "A query of effects needs one data source, or a primary one, and the application has "
                            + context.getBeansOfType(DataSource.class).keySet()
                            + ". Use effects(dataSource, query), or a function",
                    e);
        }
    }

    @Override
    public Subject listener(List<Sent> messages, Optional<String> listener, Duration patience) {
        if (TestTransaction.isActive()) {
            throw new MisuseException(
                    "The test runs in a transaction, which the listener does not see. Remove @Transactional from the test");
        }
        Set<String> topics = messages.stream().map(Sent::topic).collect(Collectors.toSet());
        AbstractMessageListenerContainer<?, ?> container =
                listener.map(this::named).orElseGet(() -> listening(topics));
        SpringFaults.State state = SpringFaults.of(context);
        return new SpringListener(
                new SpringContainer(container, state), new SpringSender(template(), messages), patience);
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
