package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.store.IdempotencyException;
import java.util.Collection;
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
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The settings of the members of a share group, and what the brokers say about the group. */
final class ShareSettings {

    private static final Logger log = LoggerFactory.getLogger(ShareLoop.class);
    private static final int PATIENCE_SECONDS = 10;
    private static final String BROKERS_LIMIT = "group.share.delivery.count.limit";
    /** Later brokers have a limit for each group. */
    private static final String GROUPS_LIMIT = "share.delivery.count.limit";

    private ShareSettings() {}

    static Map<String, Object> consumer(Map<String, ?> properties) {
        Map<String, Object> checked = new HashMap<>(properties);
        require(
                checked,
                ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG,
                "explicit",
                "records would be accepted before they are settled");
        require(
                checked,
                ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG,
                "record_limit",
                "the client would fetch records ahead, and the locks of these run out while others are handled");
        checked.putIfAbsent(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, ShareProcessor.DEFAULT_RECORDS);
        checked.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        checked.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return checked;
    }

    private static void require(Map<String, Object> properties, String name, String needed, String otherwise) {
        Object set = properties.getOrDefault(name, needed);
        if (!set.toString().trim().toLowerCase(Locale.ROOT).equals(needed)) {
            throw new IdempotencyException(
                    name + "=" + set + ": " + otherwise + ". Leave it out, or set it to " + needed);
        }
        properties.put(name, needed);
    }

    /** Asks the brokers how often a record of the group is delivered; Kafka's default if they do not answer. Warns of settings that may lose messages. */
    static int deliveryLimit(Admin admin, String group) {
        try {
            Collection<Node> nodes = admin.describeCluster().nodes().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            ConfigResource broker = new ConfigResource(
                    ConfigResource.Type.BROKER, nodes.iterator().next().idString());
            ConfigResource ofGroup = new ConfigResource(ConfigResource.Type.GROUP, group);
            Map<ConfigResource, Config> configs =
                    admin.describeConfigs(List.of(broker, ofGroup)).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            warn(
                    group,
                    value(configs, ofGroup, "share.auto.offset.reset"),
                    value(configs, ofGroup, "share.isolation.level"));
            String limit = value(configs, ofGroup, GROUPS_LIMIT);
            return Integer.parseInt(limit.isEmpty() ? value(configs, broker, BROKERS_LIMIT) : limit);
        } catch (ExecutionException | TimeoutException | RuntimeException failed) {
            log.warn(
                    "The limit of deliveries of group {} could not be looked up, and is taken for {}. If the brokers have a lower one, set deliveryLimit(..): {}",
                    group,
                    ShareProcessor.DEFAULT_DELIVERY_LIMIT,
                    FailureText.line(failed));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return ShareProcessor.DEFAULT_DELIVERY_LIMIT;
    }

    private static String value(Map<ConfigResource, Config> configs, ConfigResource of, String name) {
        Config config = configs.get(of);
        ConfigEntry entry = config == null ? null : config.get(name);
        return entry == null || entry.value() == null ? "" : entry.value();
    }

    private static void warn(String group, String reset, String isolation) {
        if (reset.equals("latest")) {
            log.warn(
                    "share.auto.offset.reset of group {} is latest: records that were sent before its first member came are not handled. Set it to earliest"
                            + " unless that is meant: it is a setting of the group, by kafka-configs.sh --entity-type groups.",
                    group);
        }
        if (isolation.equals("read_uncommitted")) {
            log.warn(
                    "share.isolation.level of group {} is read_uncommitted, so records of aborted Kafka transactions are handled, too. If a producer uses"
                            + " transactions, set read_committed: it is a setting of the group.",
                    group);
        }
    }
}
