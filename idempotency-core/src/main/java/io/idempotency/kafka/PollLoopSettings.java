package io.idempotency.kafka;

import io.idempotency.replay.ReplayStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/** The settings of a poll loop. */
record PollLoopSettings<K, V>(
        RecordProcessor<K, V> processor,
        Map<String, Object> properties,
        List<String> topics,
        Times times,
        java.util.function.Consumer<Optional<Throwable>> onEnd,
        Clients<K, V> clients,
        Optional<ReplayStore> replays) {

    /** How long things may take. */
    record Times(Duration poll, Duration close, Duration retention) {}

    /** Makes the clients; replaced in tests. */
    record Clients<K, V>(
            Function<Map<String, Object>, Consumer<K, V>> consumers, Function<Map<String, Object>, Admin> admins) {}

    Consumer<K, V> connect() {
        return clients.consumers().apply(properties);
    }

    /** Returns an admin client for the same cluster. */
    Admin admin() {
        return clients.admins().apply(TopicRetention.admin(properties));
    }

    Object group() {
        return properties.getOrDefault(ConsumerConfig.GROUP_ID_CONFIG, "");
    }

    Duration pollTimeout() {
        return times.poll();
    }

    Duration closeTimeout() {
        return times.close();
    }
}
