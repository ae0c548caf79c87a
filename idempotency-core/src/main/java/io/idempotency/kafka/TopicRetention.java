package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.store.Printable;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compares how long topics keep records with how long ids are remembered. */
public final class TopicRetention {

    private static final Logger log = LoggerFactory.getLogger(TopicRetention.class);
    /** The default of Kafka. */
    private static final Duration DEFAULT_POLL_INTERVAL = Duration.ofMinutes(5);

    private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);

    /** An admin client that cannot reach Kafka gives up soon, because a loop that is closed meanwhile waits for it. */
    private static final int REQUEST_TIMEOUT_MILLIS = 5_000;

    private TopicRetention() {}

    /** Returns the properties of an admin client that connects like the consumer with these properties, and gives up after 5 s. */
    public static Map<String, Object> admin(Map<String, ?> consumerProperties) {
        Map<String, Object> ofAdmin = new HashMap<>(consumerProperties);
        ofAdmin.keySet().retainAll(AdminClientConfig.configNames());
        ofAdmin.remove(AdminClientConfig.CLIENT_ID_CONFIG);
        ofAdmin.remove(AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG);
        ofAdmin.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_TIMEOUT_MILLIS);
        ofAdmin.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, REQUEST_TIMEOUT_MILLIS);
        return ofAdmin;
    }

    /**
     * Returns how long a healthy consumer with these properties may leave the offsets of a poll uncommitted: {@code max.poll.interval.ms}. Ids must
     * be remembered for longer.
     */
    public static Duration pollInterval(Map<String, ?> consumerProperties) {
        Object configured = consumerProperties.get(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG);
        return configured == null
                ? DEFAULT_POLL_INTERVAL
                : Duration.ofMillis(Long.parseLong(configured.toString().trim()));
    }

    /**
     * Warns of topics that keep records longer than ids are remembered. Waits up to ten seconds for Kafka; a missing answer is only logged.
     */
    public static void warnIfLonger(Admin admin, Collection<String> topics, Duration retention) {
        List<ConfigResource> resources = topics.stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        long end = System.nanoTime() + ADMIN_TIMEOUT.toNanos();
        try {
            admin.describeConfigs(resources)
                    .values()
                    .forEach((topic, config) -> compare(retention, topic.name(), config, end - System.nanoTime()));
        } catch (KafkaException failure) {
            log.info("The retention of {} could not be looked up: {}", topics, FailureText.line(failure));
        }
    }

    private static void compare(Duration retention, String topic, KafkaFuture<Config> config, long nanos) {
        try {
            warnIfShorter(retention, topic, config.get(Math.max(nanos, 0), TimeUnit.NANOSECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | KafkaException failure) {
            if (failure.getCause() instanceof UnknownTopicOrPartitionException) {
                log.debug("Topic {} does not exist yet, so its retention is unknown.", topic);
            } else {
                log.info(
                        "The retention of topic {} could not be looked up: {}",
                        topic,
                        FailureText.lineWithCause(failure));
            }
        }
    }

    private static void warnIfShorter(Duration retention, String topic, Config config) {
        long millis = Long.parseLong(value(config, TopicConfig.RETENTION_MS_CONFIG, "-1"));
        boolean isDeleted = value(config, TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE)
                .contains(TopicConfig.CLEANUP_POLICY_DELETE);
        boolean isForEver = millis < 0 || !isDeleted;
        if (isForEver || millis > retention.toMillis()) {
            log.warn(
                    "Topic {} keeps its records {}, ids are remembered for {}: a record that is delivered again later"
                            + " is handled twice. Lengthen the retention of the store.",
                    topic,
                    isForEver ? "for ever" : "for " + Printable.of(Duration.ofMillis(millis)),
                    Printable.of(retention));
        }
    }

    private static String value(Config config, String name, String otherwise) {
        ConfigEntry entry = config.get(name);
        return entry == null || entry.value() == null ? otherwise : entry.value();
    }
}
