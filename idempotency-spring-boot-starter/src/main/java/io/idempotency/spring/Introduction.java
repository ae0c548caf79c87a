package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.TopicPartitionOffset;

/** Writes the sentence that introduces an idempotent listener in the log. */
final class Introduction {

    private Introduction() {}

    /**
     * Returns the sentence.
     *
     * @param store the kind or name of its store
     * @param ids where to find message ids if the listener does not say it
     */
    static String of(
            ListenerDefinition listener,
            ConsistencyLevel level,
            String store,
            IdempotencyProperties.MessageId ids,
            ContainerProperties container) {
        String what = listener.isShadow()
                ? " is only watched, in shadow mode: nothing is skipped, and a real run would be consumer "
                : " is idempotent: consumer ";
        return "Listener " + signature(listener.element()) + " on " + topics(container) + what
                + listener.name() + ", " + level + (level == ConsistencyLevel.NONE ? "" : ", " + store) + ", ids from "
                + source(listener, ids);
    }

    /** Returns the short form of the method and its parameters, or of the class. */
    private static String signature(AnnotatedElement element) {
        if (element instanceof Method method) {
            return method.getName()
                    + Stream.of(method.getParameterTypes())
                            .map(Class::getSimpleName)
                            .collect(Collectors.joining(", ", "(", ")"));
        }
        return element instanceof Class<?> type ? type.getSimpleName() : element.toString();
    }

    private static Object topics(ContainerProperties container) {
        if (container.getTopics() != null) {
            return List.of(container.getTopics());
        }
        return container.getTopicPattern() != null
                ? container.getTopicPattern()
                : Stream.of(Objects.requireNonNull(container.getTopicPartitions()))
                        .map(TopicPartitionOffset::getTopicPartition)
                        .toList();
    }

    private static String source(ListenerDefinition listener, IdempotencyProperties.MessageId ids) {
        String headers = (ids.headers().size() == 1 ? "header " : "headers ") + String.join(", ", ids.headers());
        String from = listener.messageId().isEmpty() ? headers : listener.messageId();
        return switch (ids.missing()) {
            case FAIL -> from;
            case PROCESS -> from + "; without one, it is processed each time";
            case COORDINATES -> from + "; without one, its coordinates";
        };
    }
}
