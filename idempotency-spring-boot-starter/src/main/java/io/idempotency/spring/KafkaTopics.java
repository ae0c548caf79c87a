package io.idempotency.spring;

import io.idempotency.kafka.TopicIds;
import io.idempotency.kafka.TopicPartitions;
import io.idempotency.kafka.TopicRetention;
import java.time.Duration;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaAdmin;

/**
 * Asks Kafka for ids and partition counts of topics, on behalf of the journals. Connects like Spring Boot's {@code KafkaAdmin}, at the first
 * question. Thread-safe.
 */
final class KafkaTopics implements AutoCloseable {

    private final @Nullable KafkaAdmin connection;
    private final IdempotencyProperties.Journal properties;
    private @Nullable Looking looking;

    private record Looking(Admin admin, TopicIds ids, TopicPartitions partitions) {}

    KafkaTopics(@Nullable KafkaAdmin connection, IdempotencyProperties.Journal properties) {
        if (properties.topicIds() && connection == null) {
            throw new ListenerRefusedException(
                    "idempotency.journal.topic-ids is set, but there is not exactly one KafkaAdmin bean to ask for the ids of topics",
                    "Make one of several KafkaAdmin beans primary, or name the journals of a recreated topic in"
                            + " idempotency.journal.streams.");
        }
        this.connection = connection;
        this.properties = properties;
    }

    /** Returns the name of the journals of a topic. */
    String stream(String topic) {
        String name = properties.streams().getOrDefault(topic, topic);
        Looking with = properties.topicIds() ? looking() : null;
        return with == null ? name : name + "/" + with.ids().apply(topic);
    }

    /** Returns how many partitions a topic has; 0 if that is not known. */
    int partitions(String topic) {
        Looking with = looking();
        return with == null ? 0 : with.partitions().applyAsInt(topic);
    }

    private synchronized @Nullable Looking looking() {
        if (looking == null && connection != null) {
            Admin admin = Admin.create(TopicRetention.admin(connection.getConfigurationProperties()));
            looking = new Looking(admin, TopicIds.of(admin), TopicPartitions.of(admin));
        }
        return looking;
    }

    @Override
    public synchronized void close() {
        if (looking != null) {
            looking.admin().close(Duration.ofSeconds(1));
        }
    }
}
