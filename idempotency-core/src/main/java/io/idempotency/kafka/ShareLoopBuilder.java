package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.Outcome;
import io.idempotency.Replayer;
import io.idempotency.ShareDelivery;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Collects the settings of a {@link ShareLoop}. Not thread-safe. */
public final class ShareLoopBuilder<K, V> {

    /** How many members a loop has by default. */
    public static final int DEFAULT_MEMBERS = 4;

    private static final Logger log = LoggerFactory.getLogger(ShareLoop.class);

    private final IdempotentConsumer<ConsumerRecord<K, V>> consumer;
    private final MessageHandler<? super ConsumerRecord<K, V>> handler;
    private final Map<String, Object> properties = new HashMap<>();
    private List<String> topics = List.of();
    private int members = DEFAULT_MEMBERS;
    private Optional<Integer> deliveryLimit = Optional.empty();
    private Duration closeTimeout = PollLoopBuilder.DEFAULT_CLOSE_TIMEOUT;
    private Optional<ReplayStore> replays = Optional.empty();
    private Consumer<Optional<Throwable>> onEnd = ending -> {};

    ShareLoopBuilder(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, MessageHandler<? super ConsumerRecord<K, V>> handler) {
        ShareDelivery<?> unused = ShareDelivery.of(consumer);
        this.consumer = consumer;
        this.handler = handler;
    }

    /** Adds properties of the Kafka consumers: servers, group, deserializers. {@code max.poll.records} says how many records a member holds at a time; default: 8. */
    public ShareLoopBuilder<K, V> properties(Map<?, ?> more) {
        more.forEach((name, value) -> properties.put(String.valueOf(name), value));
        return this;
    }

    /** Sets the topics to subscribe to. */
    public ShareLoopBuilder<K, V> topics(String... names) {
        this.topics = List.of(names);
        return this;
    }

    /**
     * Sets how many members of the group the loop has; default: 4. A member that waits for a record, at most so many as it holds, gets no others. Kafka gives a partition to more than
     * one member only if the group has more members than the topics have partitions. Have less than
     * {@code group.share.delivery.count.limit} in a process: if that is killed, each member may use a delivery of a record.
     */
    public ShareLoopBuilder<K, V> members(int number) {
        this.members = number;
        return this;
    }

    /** Sets the limit of deliveries of the brokers, {@code group.share.delivery.count.limit}. By default the loop asks a broker, and takes 5 if that does not answer. */
    public ShareLoopBuilder<K, V> deliveryLimit(int limit) {
        this.deliveryLimit = Optional.of(limit);
        return this;
    }

    /** Sets how long {@link ShareLoop#close} waits for records that are being handled; 30 s by default. */
    public ShareLoopBuilder<K, V> closeTimeout(Duration timeout) {
        this.closeTimeout = timeout;
        return this;
    }

    /** Sets who is told of the end, on the thread of the loop: with the failure, or empty if it was closed or interrupted. */
    public ShareLoopBuilder<K, V> onEnd(Consumer<Optional<Throwable>> told) {
        this.onEnd = told;
        return this;
    }

    /**
     * Lets the loop carry out replays of quarantined records, too: with the same handler, on a thread of its own. It ends with the loop. See {@link
     * io.idempotency.Replayer}.
     */
    public ShareLoopBuilder<K, V> replays(ReplayStore store) {
        this.replays = Optional.of(store);
        return this;
    }

    /**
     * Builds the loop.
     *
     * @throws IdempotencyException if no topic, no {@code group.id} or no deserializer was given, there is less than one member or delivery, or a property would have records
     *     accepted before they are settled or fetched before they are handled
     */
    public ShareLoop<K, V> build() {
        if (topics.isEmpty()) {
            throw new IdempotencyException("A share loop needs at least one topic: topics(..)");
        }
        if (members < 1) {
            throw new IdempotencyException("A share loop needs at least one member, not " + members);
        }
        StartUpChecks.requireGroup(properties);
        Map<String, Object> unused = consumer();
        processor(deliveryLimit.orElse(ShareProcessor.DEFAULT_DELIVERY_LIMIT)).close();
        return new ShareLoop<>(this);
    }

    ShareProcessor<K, V> processor(int limit) {
        return ShareProcessor.of(consumer, handler, properties).deliveryLimit(limit);
    }

    /** Starts to carry out replays, if there is a store of them. */
    void startReplays(LoopReplays loop) {
        replays.ifPresent(store -> loop.<K, V>start(properties, records -> {
            Replayer<ConsumerRecord<K, V>> replayer = Replayer.of(consumer, store);
            replayer.start((entry, replay) -> {
                Outcome unused = replayer.consumer().consume(records.record(entry, replay), handler);
            });
            return replayer;
        }));
    }

    Map<String, Object> consumer() {
        return ShareSettings.consumer(properties);
    }

    Map<String, Object> properties() {
        return properties;
    }

    List<String> topics() {
        return topics;
    }

    String group() {
        return String.valueOf(properties.get(ConsumerConfig.GROUP_ID_CONFIG));
    }

    int members() {
        return members;
    }

    Optional<Integer> deliveryLimit() {
        return deliveryLimit;
    }

    Duration pollTimeout() {
        return PollLoopBuilder.DEFAULT_POLL_TIMEOUT;
    }

    Duration closeTimeout() {
        return closeTimeout;
    }

    void tellEnd(Optional<Throwable> failure) {
        try {
            onEnd.accept(failure);
        } catch (RuntimeException failed) {
            log.warn("The onEnd callback of share group {} failed.", group(), FailureText.loggable(failed));
        }
    }
}
