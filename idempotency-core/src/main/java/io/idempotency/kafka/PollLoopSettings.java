package io.idempotency.kafka;

import io.idempotency.replay.ReplayStore;
import io.idempotency.store.OffsetStore;
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
        Optional<ReplayStore> replays,
        Optional<Batch> batch,
        Optional<OffsetStore> offsets) {

    /** When a batch of several polls is complete. */
    record Batch(int records, Duration time) {}

    /** How long things may take. */
    record Times(Duration poll, Duration close, Duration retention) {}

    /** Makes the clients; replaced in tests. */
    record Clients<K, V>(
            Function<Map<String, Object>, Consumer<K, V>> consumers, Function<Map<String, Object>, Admin> admins) {}

    /** Returns what gathers polls: a batch is complete before another poll could make it too large. */
    Gathering<K, V> gathering() {
        if (batch.isEmpty()) {
            return Gathering.none();
        }
        int most = StartUpChecks.maxPollRecords(properties);
        return new Gathering<>(
                Math.max(2, batch.get().records() - most + 1), batch.get().time(), System::nanoTime);
    }

    /** Returns what begins behind settled offsets. */
    Optional<StoredOffsets> storedOffsets() {
        return offsets.map(store -> new StoredOffsets(
                processor.name(), store, this::admin, StoredOffsets.reset(properties), System::nanoTime));
    }

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
