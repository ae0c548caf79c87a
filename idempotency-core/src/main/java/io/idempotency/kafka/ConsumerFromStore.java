package io.idempotency.kafka;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka consumer whose partitions begin behind what a store knows to be settled, for a loop that somebody else runs, such as a container of spring-kafka. It
 * does what {@link PollLoopBuilder#startFrom} does for a {@link PollLoop}. The loop polls and commits as ever:
 *
 * <ul>
 *   <li>Partitions have begun when its rebalance listener is told of them.
 *   <li>What it commits counts as settled, from where its partition began, and gets a text beside the offset. So it may commit only offsets behind settled
 *       records.
 *   <li>If it seeks to after all that was polled and settled, it skips records, and a new run begins there.
 *   <li>While the store cannot be read, new partitions are paused, and nothing is committed for them. For the loop they look as if they were not.
 * </ul>
 *
 * <p>Settled offsets are stored once a second, and when partitions are given up, on the polling thread. To that end a poll may end after a second without records.
 */
public final class ConsumerFromStore<K, V> {

    private static final ConsumerRebalanceListener NOBODY = new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
    };

    private final Consumer<K, V> kafka;
    private final StoredOffsets stored;
    /** Waiting partitions that the loop has paused, too. */
    private final Set<TopicPartition> held = new HashSet<>();
    /** Where the next poll goes on, of partitions that were polled or sought. */
    private final Map<TopicPartition, Long> next = new HashMap<>();
    /** Where the loop has sought in waiting partitions. */
    private final Map<TopicPartition, Long> sought = new HashMap<>();

    private ConsumerFromStore(Consumer<K, V> kafka, StoredOffsets stored) {
        this.kafka = kafka;
        this.stored = stored;
    }

    /**
     * Returns a consumer around the given one, with the same thread-safety. It takes no partitions that are assigned by hand, and commits only offsets that are named.
     *
     * @param consumer the name of the idempotent consumer
     * @param store on the data of its store
     * @param properties those of the Kafka consumer; an admin client that looks up the ids of topics connects like it
     */
    @SuppressWarnings("unchecked")
    public static <K, V> Consumer<K, V> of(
            Consumer<K, V> kafka, String consumer, OffsetStore store, Map<String, Object> properties) {
        ConsumerFromStore<K, V> from = new ConsumerFromStore<>(
                kafka,
                new StoredOffsets(
                        consumer,
                        store,
                        () -> Admin.create(TopicRetention.admin(properties)),
                        StoredOffsets.reset(properties),
                        System::nanoTime));
        return (Consumer<K, V>) Proxy.newProxyInstance(
                Consumer.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, given) -> method.getName().equals("equals")
                        ? (Object) (proxy == given[0])
                        : from.call(method, given == null ? new Object[0] : given));
    }

    @SuppressWarnings("unchecked")
    private @Nullable Object call(Method method, Object[] given) throws Throwable {
        switch (method.getName()) {
            case "subscribe" -> subscribe(given[0], given.length > 1 ? (ConsumerRebalanceListener) given[1] : NOBODY);
            case "assign" ->
                throw new IdempotencyException("Partitions that are assigned by hand begin where they are told to");
            case "poll" -> {
                return poll((Duration) given[0]);
            }
            case "commitSync", "commitAsync" -> {
                if (given.length == 0 || !(given[0] instanceof Map<?, ?> offsets)) {
                    throw new IdempotencyException(
                            "Name the offsets to commit: the position of a consumer may be ahead of what is settled");
                }
                given[0] = settled((Map<TopicPartition, OffsetAndMetadata>) offsets);
                return invoke(method, given);
            }
            case "seek" ->
                seek(
                        (TopicPartition) given[0],
                        given[1] instanceof OffsetAndMetadata offset ? offset : new OffsetAndMetadata((Long) given[1]));
            case "seekToBeginning" -> seekAll(kafka.beginningOffsets(all(given[0])));
            case "seekToEnd" -> seekAll(kafka.endOffsets(all(given[0])));
            case "pause" -> pause((Collection<TopicPartition>) given[0]);
            case "resume" -> resume((Collection<TopicPartition>) given[0]);
            case "paused" -> {
                Set<TopicPartition> paused = new HashSet<>(kafka.paused());
                paused.removeIf(partition -> stored.isWaiting(partition) && !held.contains(partition));
                return paused;
            }
            default -> {
                return invoke(method, given);
            }
        }
        return null;
    }

    private ConsumerRecords<K, V> poll(Duration timeout) {
        beforePoll();
        ConsumerRecords<K, V> polled;
        try {
            polled = kafka.poll(timeout(timeout));
        } catch (NoOffsetForPartitionException none) {
            if (stored.lacks(none)) {
                throw none;
            }
            // Thrown before any record is taken.
            return ConsumerRecords.empty();
        }
        stored.polled(kafka, polled);
        polled.nextOffsets().forEach((partition, offset) -> next.put(partition, offset.offset()));
        return polled;
    }

    private @Nullable Object invoke(Method method, Object[] given) throws Throwable {
        try {
            return method.invoke(kafka, given);
        } catch (InvocationTargetException failed) {
            throw failed.getCause();
        }
    }

    @SuppressWarnings("unchecked")
    private void subscribe(Object to, ConsumerRebalanceListener listener) {
        ConsumerRebalanceListener beginning = new Beginning(listener);
        if (to instanceof Pattern pattern) {
            kafka.subscribe(pattern, beginning);
        } else if (to instanceof SubscriptionPattern pattern) {
            kafka.subscribe(pattern, beginning);
        } else {
            kafka.subscribe((Collection<String>) to, beginning);
        }
    }

    /** Begins partitions before the listener of the loop is told of them, and stores after it has committed. */
    private final class Beginning implements ConsumerRebalanceListener {

        private final ConsumerRebalanceListener listener;

        Beginning(ConsumerRebalanceListener listener) {
            this.listener = listener;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            Runnable again = begin(partitions);
            listener.onPartitionsAssigned(partitions);
            again.run();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            try {
                listener.onPartitionsRevoked(partitions);
            } finally {
                stored.store();
                stored.drop(partitions);
            }
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            // Another consumer may own them.
            stored.drop(partitions);
            listener.onPartitionsLost(partitions);
        }
    }

    /**
     * Begins partitions, now or in a later poll. A loop that is woken up or interrupted meanwhile may go on, and is not told of them again. So no exception leaves.
     *
     * @return does again to the loop what was done to it
     */
    private Runnable begin(Collection<TopicPartition> partitions) {
        held.removeAll(partitions);
        sought.keySet().removeAll(partitions);
        next.keySet().removeAll(partitions);
        try {
            stored.assigned(kafka, partitions);
            return () -> {};
        } catch (WakeupException woken) {
            stored.await(kafka, partitions);
            return kafka::wakeup;
        } catch (InterruptException interrupted) {
            // On an interrupted thread nothing can be paused.
            boolean unused = Thread.interrupted();
            stored.await(kafka, partitions);
            return Thread.currentThread()::interrupt;
        }
    }

    private void beforePoll() {
        Collection<TopicPartition> begun = stored.beginWaiting(kafka);
        begun.stream().filter(held::remove).toList().forEach(partition -> AssignedPartitions.pause(kafka, partition));
        for (TopicPartition partition : begun) {
            Long offset = sought.remove(partition);
            // It was sought in the run of nobody: compared with where it has begun.
            next.remove(partition);
            if (offset != null && AssignedPartitions.seek(kafka, partition, new OffsetAndMetadata(offset))) {
                next.put(partition, offset);
                stored.runs().skippedTo(partition, offset);
            }
        }
        stored.storeIfDue();
    }

    private Duration timeout(Duration asked) {
        return stored.isDue() && asked.compareTo(StoredRuns.APART) > 0 ? StoredRuns.APART : asked;
    }

    /** Leaves out partitions that wait: their position is not yet where they begin. */
    private Map<TopicPartition, OffsetAndMetadata> settled(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<TopicPartition, OffsetAndMetadata> begun = new HashMap<>(offsets);
        begun.keySet().removeIf(stored::isWaiting);
        return stored.settled(begun);
    }

    private void seek(TopicPartition partition, OffsetAndMetadata to) {
        // Asks nobody: a seek that fails leaves out what was polled and not handled.
        kafka.seek(partition, to);
        Long before = next.put(partition, to.offset());
        if (stored.isWaiting(partition)) {
            sought.put(partition, to.offset());
        } else if (before == null || to.offset() > before) {
            stored.runs().skippedTo(partition, to.offset());
        }
    }

    private void seekAll(Map<TopicPartition, Long> offsets) {
        offsets.forEach((partition, offset) -> seek(partition, new OffsetAndMetadata(offset)));
    }

    @SuppressWarnings("unchecked")
    private Collection<TopicPartition> all(Object partitions) {
        return ((Collection<TopicPartition>) partitions).isEmpty()
                ? kafka.assignment()
                : (Collection<TopicPartition>) partitions;
    }

    private void pause(Collection<TopicPartition> partitions) {
        kafka.pause(partitions);
        partitions.stream().filter(stored::isWaiting).forEach(held::add);
    }

    private void resume(Collection<TopicPartition> partitions) {
        held.removeAll(partitions);
        kafka.resume(partitions.stream()
                .filter(partition -> !stored.isWaiting(partition))
                .toList());
    }
}
