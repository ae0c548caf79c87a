package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.MessageIdExtractor;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.TopicIds;
import io.idempotency.kafka.TopicRetention;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.util.ClassUtils;

/** Builds the message id extractors of listeners. Thread-safe. */
final class ListenerIds {

    private static final String JACKSON = "tools.jackson.databind.json.JsonMapper";

    private final IdempotencyProperties properties;
    private final BeanFactory beans;
    private final Map<String, Admin> admins = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> retryTopics = new ConcurrentHashMap<>();

    ListenerIds(IdempotencyProperties properties, BeanFactory beans) {
        this.properties = properties;
        this.beans = beans;
    }

    /** Returns the retry and dead-letter topics of a listener. Topics may be added until it starts. */
    Set<String> retryTopics(ListenerDefinition listener) {
        return retryTopics.computeIfAbsent(listener.name(), name -> {
            Set<String> topics = ConcurrentHashMap.newKeySet();
            topics.addAll(properties.messageId().retryTopics());
            return topics;
        });
    }

    /**
     * Returns the message id extractor of a listener.
     *
     * @param adapted converts records as the container does
     * @param connection how to connect to Kafka, to ask for topic ids
     */
    MessageIdExtractor<? super ConsumerRecord<Object, Object>> of(
            ListenerDefinition listener, AdaptedListener adapted, Map<String, Object> connection) {
        MessageIds<Object> ids = own(listener, adapted);
        return switch (properties.messageId().missing()) {
            case FAIL -> ids;
            case PROCESS -> ids.orElse(MessageIds.unrecognised());
            case COORDINATES ->
                orCoordinates(
                        ids,
                        TopicIds.of(admins.computeIfAbsent(
                                listener.name(), name -> Admin.create(TopicRetention.admin(connection)))),
                        retryTopics(listener));
        };
    }

    private MessageIds<Object> own(ListenerDefinition listener, AdaptedListener adapted) {
        String messageId = listener.messageId();
        if (messageId.isEmpty()) {
            return MessageIds.header(properties.messageId().headers().toArray(String[]::new))
                    .orElse(MessageIds.cloudEvents());
        }
        // No SpEL expression begins with a slash.
        if (!messageId.startsWith("/")) {
            return MessageIds.record(SpelMessageId.of(listener, adapted, beans)::read);
        }
        refuseIf(
                !ClassUtils.isPresent(JACKSON, null),
                "The messageId of " + listener + " is the JSON pointer " + messageId
                        + ", but there is no Jackson on the class path to read JSON",
                "Add tools.jackson.core:jackson-databind, whose version Spring Boot manages.");
        return MessageIds.record(new JsonPointerId(messageId)::read);
    }

    /** Looks at the retry topics for each record, because their containers are created after the consumer. */
    private static MessageIdExtractor<ConsumerRecord<Object, Object>> orCoordinates(
            MessageIds<Object> ids, TopicIds topicIds, Set<String> retryTopics) {
        MessageIds<Object> own = ids.orElse(MessageIds.coordinates(topicIds));
        MessageIds<Object> forwarded = ids.orElse(MessageIds.coordinates(topicIds, retryTopics::contains));
        return record -> (retryTopics.isEmpty() ? own : forwarded).messageId(record);
    }

    void close() {
        admins.values().forEach(admin -> admin.close(Duration.ofSeconds(1)));
    }
}
