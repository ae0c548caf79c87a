package io.idempotency.kafka;

import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicCollection;

/** Asks Kafka about a topic. */
final class TopicLookup {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private TopicLookup() {}

    /**
     * Returns Kafka's description of the topic.
     *
     * @throws TransientStoreException if it does not answer within five seconds
     */
    static TopicDescription describe(Admin admin, String topic) {
        try {
            return admin.describeTopics(TopicCollection.ofTopicNames(List.of(topic)))
                    .allTopicNames()
                    .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .values()
                    .iterator()
                    .next();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw failed(topic, interrupted);
        } catch (ExecutionException | TimeoutException failure) {
            throw failed(topic, failure);
        }
    }

    private static TransientStoreException failed(String topic, Exception cause) {
        return new TransientStoreException("The topic " + topic + " could not be looked up", cause);
    }
}
