package io.idempotency.kafka;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Settings that would weaken the promise: refused, or warned of where they may be meant. */
final class StartUpChecks {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);
    private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);

    private StartUpChecks() {}

    static Map<String, Object> withoutAutoCommit(Map<String, Object> properties) {
        Object autoCommit = properties.getOrDefault(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        if (Boolean.parseBoolean(autoCommit.toString().trim())) {
            throw new IdempotencyException(
                    "enable.auto.commit=true commits offsets of records that are not settled, which loses them in a crash."
                            + " Leave it out: the loop commits what is settled");
        }
        Map<String, Object> checked = new HashMap<>(properties);
        checked.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        return checked;
    }

    static void warnOfDefaults(Map<String, Object> properties) {
        if (!properties.containsKey(ConsumerConfig.ISOLATION_LEVEL_CONFIG)) {
            log.warn(
                    "isolation.level is not set, so records of aborted Kafka transactions are handled, too. If a"
                            + " producer uses transactions, set read_committed; otherwise set read_uncommitted to silence this.");
        }
        Object reset = properties.getOrDefault(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        if (reset.toString().trim().toLowerCase(Locale.ROOT).equals("latest")) {
            log.warn(
                    "auto.offset.reset is latest: records that were sent before a partition is discovered for the first"
                            + " time are not handled. Set earliest unless that is meant.");
        }
    }

    /** Warns of topics that keep records longer than ids are remembered. Says nothing worse than a log entry if Kafka does not answer. */
    static void warnOfShortRetention(PollLoopSettings<?, ?> settings) {
        List<ConfigResource> topics = settings.topics().stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        try (Admin admin = settings.admin()) {
            admin.describeConfigs(topics)
                    .all()
                    .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .forEach((topic, config) -> warnIfShorter(settings.times().retention(), topic.name(), config));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | KafkaException failure) {
            log.info(
                    "The retention of {} could not be compared with the one of the store: {}",
                    settings.topics(),
                    failure.toString());
        }
    }

    private static void warnIfShorter(Duration retention, String topic, Config config) {
        long millis = Long.parseLong(value(config, TopicConfig.RETENTION_MS_CONFIG, "-1"));
        boolean isDeleted = value(config, TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE)
                .contains(TopicConfig.CLEANUP_POLICY_DELETE);
        boolean isForEver = millis < 0 || !isDeleted;
        if (isForEver || millis > retention.toMillis()) {
            log.warn(
                    "Topic {} keeps its records {}, ids are remembered for {} h: a record that is delivered again later"
                            + " is handled twice. Lengthen the retention of the store.",
                    topic,
                    isForEver ? "for ever" : "for " + Duration.ofMillis(millis).toHours() + " h",
                    retention.toHours());
        }
    }

    private static String value(Config config, String name, String otherwise) {
        ConfigEntry entry = config.get(name);
        return entry == null || entry.value() == null ? otherwise : entry.value();
    }
}
