package io.idempotency.outbox;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Asks Kafka whether the place of an output exists. A producer cannot tell a missing topic from a broker that does not answer. */
final class RelayTopics {

    private static final int MILLIS = 5_000;

    /** All others may belong to a class that one of them names. */
    private static final Set<String> OF_PRODUCER = Set.of(
            AdminClientConfig.CLIENT_ID_CONFIG,
            AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG,
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);

    private RelayTopics() {}

    /** @param place a topic, or a partition of it */
    static String absent(String place) {
        return place + " does not exist";
    }

    /** Returns whether Kafka says that the topic or the partition does not exist; false if it does not answer. */
    static boolean isAbsent(Map<String, Object> kafka, Output output) {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.keySet().removeAll(OF_PRODUCER);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, MILLIS);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, MILLIS);
        try (Admin admin = Admin.create(settings)) {
            TopicDescription topic = admin.describeTopics(List.of(output.topic()))
                    .allTopicNames()
                    .get()
                    .get(output.topic());
            Integer partition = output.partition();
            return partition != null
                    && topic != null
                    && partition >= topic.partitions().size();
        } catch (ExecutionException e) {
            return e.getCause() instanceof UnknownTopicOrPartitionException;
        } catch (KafkaException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
