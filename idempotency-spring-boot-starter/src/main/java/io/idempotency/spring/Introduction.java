package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.TopicPartitionOffset;

/** Writes the sentence that introduces an idempotent listener in the log. */
final class Introduction {

    private Introduction() {}

    /**
     * What happens to its messages.
     *
     * @param store the kind or name of its store
     * @param per how many records share a transaction
     * @param retention how long messages are remembered, if the starter knows
     * @param quarantine where messages are quarantined; empty if nowhere
     */
    record Kept(String store, TransactionPer per, Optional<Duration> retention, Optional<String> quarantine) {}

    /**
     * Returns the sentence.
     *
     * @param ids where to find message ids if the listener does not say it
     */
    static String of(
            ListenerDefinition listener,
            ConsistencyLevel level,
            Kept kept,
            IdempotencyProperties.MessageId ids,
            ContainerProperties container) {
        String what = listener.isShadow()
                ? " is only watched, in shadow mode: nothing is skipped, and a real run would be consumer "
                : " is idempotent: consumer ";
        List<String> told = new ArrayList<>(List.of(listener.name(), level.name()));
        if (level != ConsistencyLevel.NONE) {
            told.add(kept.store());
        }
        if (level == ConsistencyLevel.STRONG && !listener.isShadow()) {
            told.add("a transaction per " + kept.per().name().toLowerCase(Locale.ROOT));
        }
        told.add("ids from " + source(listener, ids));
        if (level != ConsistencyLevel.NONE) {
            kept.retention().ifPresent(time -> told.add("remembered for " + printed(time)));
        }
        if (!listener.isShadow()) {
            told.add(kept.quarantine().map(place -> "quarantine in " + place).orElse("no quarantine"));
        }
        return "Listener " + signature(listener.element()) + " on " + topics(container) + what
                + String.join(", ", told);
    }

    /** Returns the time as properties have it, in the greatest unit that fits. */
    private static String printed(Duration time) {
        ChronoUnit unit = Stream.of(ChronoUnit.DAYS, ChronoUnit.HOURS, ChronoUnit.MINUTES, ChronoUnit.SECONDS)
                .filter(each -> time.toMillis() % each.getDuration().toMillis() == 0)
                .findFirst()
                .orElse(ChronoUnit.MILLIS);
        return DurationStyle.SIMPLE.print(time, unit);
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
