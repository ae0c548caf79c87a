package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/** Compares the consumers and listeners that properties name with those that exist. Thread-safe. */
final class ConfiguredConsumers {

    private static final String PREFIX = "idempotency.consumers.";

    /** The id of a container that has none and is no bean yet. */
    private static final String NAMELESS = "noBeanNameSet";

    private final Map<String, IdempotencyProperties.Consumer> configured;
    private final Set<String> names = ConcurrentHashMap.newKeySet();
    private final Set<String> ids = ConcurrentHashMap.newKeySet();
    private final Set<AbstractMessageListenerContainer<?, ?>> noted = ConcurrentHashMap.newKeySet();

    ConfiguredConsumers(IdempotencyProperties properties) {
        this.configured = properties.consumers();
    }

    /**
     * Returns the definition of a container's listener, if it is annotated or the properties name its id. Remembers the container, its id and its
     * consumer.
     *
     * @throws ListenerRefusedException if they name different consumers
     */
    Optional<ListenerDefinition> definition(
            Optional<ListenerDefinition> annotated, AbstractMessageListenerContainer<?, ?> container) {
        Optional<String> bound = boundTo(container);
        refuseIf(
                annotated.isPresent() && bound.isPresent(),
                annotated.map(ListenerDefinition::toString).orElse("") + " is bound to consumer " + bound.orElse("")
                        + " by " + PREFIX + bound.orElse("") + ".listeners, too",
                "Remove the annotation or the property.");
        Optional<ListenerDefinition> found =
                annotated.or(() -> bound.map(name -> ListenerDefinition.bound(name, container)));
        noted.add(container);
        ids.add(id(container));
        found.ifPresent(listener -> names.add(listener.name()));
        return found;
    }

    /** Notes the listener of a share group, which only an annotation can name. */
    void noteShared(ListenerDefinition annotated, MessageListenerContainer container) {
        names.add(annotated.name());
        if (container.getListenerId() != null) {
            ids.add(container.getListenerId());
        }
    }

    boolean isNoted(AbstractMessageListenerContainer<?, ?> container) {
        return noted.contains(container);
    }

    private Optional<String> boundTo(AbstractMessageListenerContainer<?, ?> container) {
        List<String> consumers = configured.entrySet().stream()
                .filter(entry -> entry.getValue().listeners().contains(id(container)))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        refuseIf(
                consumers.size() > 1,
                "The listener " + id(container) + " is bound to several consumers, " + String.join(" and ", consumers)
                        + ", and a listener belongs to one",
                "Keep its id in only one of " + PREFIX + "<name>.listeners.");
        return consumers.stream().findFirst();
    }

    /** Returns the id of the listener, also for the containers of its retry topics. Without an id, its topics stand in for it. */
    static String id(AbstractMessageListenerContainer<?, ?> container) {
        String main = container.getMainListenerId();
        String id = main == null ? container.getListenerId() : main;
        return id == null || id.equals(NAMELESS)
                ? Arrays.toString(container.getContainerProperties().getTopics())
                : id;
    }

    /**
     * Refuses properties of a consumer or a listener that does not exist.
     *
     * @param beans knows the listeners whose beans are not created yet
     */
    void requireAllThere(ListenerBeans beans) {
        configured.forEach((name, consumer) -> {
            consumer.listeners().stream()
                    .filter(id -> !ids.contains(id) && !beans.mayHaveId(id))
                    .findFirst()
                    .ifPresent(id -> refuseIf(
                            true,
                            PREFIX + name + ".listeners names the listener " + id
                                    + ", but no listener has this id, so it would run without the consumer. There are "
                                    + sorted(ids),
                            "Correct the id, give the @KafkaListener this id, or remove the property."));
            refuseIf(
                    consumer.listeners().isEmpty() && !names.contains(name) && !beans.mayHaveName(name),
                    "There are properties " + PREFIX + name + ".*, and no listener is @Idempotent(\"" + name
                            + "\"), so they have no effect. The names of consumers here are " + sorted(names),
                    "Correct the name, or remove the properties.");
        });
    }

    private static Set<String> sorted(Set<String> some) {
        return new TreeSet<>(some);
    }
}
