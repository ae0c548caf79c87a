package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What the consumers of one container and the test know of each other: the test holds records back until it has sent all of them, has them delivered again, and
 * learns when they are settled. Thread-safe.
 */
final class SpringWire {

    private static final Duration LONGEST_POLL = Duration.ofMillis(50);

    private final Probe probe;
    private final Map<SpringConsumer, Set<TopicPartition>> assigned = new ConcurrentHashMap<>();
    /** The scenario to which the released records belong. */
    private @Nullable History scenario;

    private Set<String> heldBack = Set.of();
    private Map<TopicPartition, Long> firsts = Map.of();
    private Map<TopicPartition, Long> ends = Map.of();
    private final Map<TopicPartition, Long> seeks = new LinkedHashMap<>();
    private final Set<TopicPartition> settled = new HashSet<>();
    private boolean hasDied;

    SpringWire(Probe probe) {
        this.probe = probe;
    }

    Probe probe() {
        return probe;
    }

    /** Holds records of these topics back from now on. */
    synchronized void holdBack(Set<String> topics) {
        heldBack = topics;
    }

    /** Lets the records between these offsets be delivered. */
    synchronized void release(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        scenario = probe.history();
        firsts = from;
        ends = to;
        settled.clear();
        heldBack = Set.of();
    }

    /** Lets the records be delivered once more, and copies of them between these offsets. A copy may be in another partition. */
    synchronized void releaseAgain(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        seeks.putAll(firsts);
        Map<TopicPartition, Long> allFirsts = new HashMap<>(from);
        allFirsts.putAll(firsts);
        Map<TopicPartition, Long> allEnds = new HashMap<>(ends);
        allEnds.putAll(to);
        release(allFirsts, allEnds);
    }

    synchronized boolean isSettled() {
        return settled.containsAll(ends.keySet());
    }

    boolean hasConsumers() {
        return !assigned.isEmpty();
    }

    boolean isAssigned(Collection<TopicPartition> partitions) {
        return assigned.values().stream()
                .flatMap(Collection::stream)
                .collect(Collectors.toSet())
                .containsAll(partitions);
    }

    /** Returns whether a consumer has died since the last call. */
    synchronized boolean hasDied() {
        boolean died = hasDied;
        hasDied = false;
        return died;
    }

    void closed(SpringConsumer consumer) {
        assigned.remove(consumer);
        if (probe.isDead()) {
            synchronized (this) {
                hasDied = true;
            }
        }
    }

    /** Returns how long to poll, so that the test is heard soon. */
    static Duration shorter(Duration timeout) {
        return timeout.compareTo(LONGEST_POLL) < 0 ? timeout : LONGEST_POLL;
    }

    /** Called before each poll, when everything of the last one is done. */
    void beforePoll(SpringConsumer self, Consumer<?, ?> consumer) {
        probe.hasDelivered();
        Set<TopicPartition> partitions = consumer.assignment();
        assigned.put(self, partitions);
        partitions.forEach(partition -> {
            Long first = takeSeek(partition);
            Long end = open(partition);
            if (first != null) {
                consumer.seek(partition, first);
            } else if (end != null && consumer.position(partition) >= end && committed(consumer, partition) >= end) {
                settle(partition, end);
            }
        });
    }

    private synchronized @Nullable Long takeSeek(TopicPartition partition) {
        return seeks.remove(partition);
    }

    /** Returns the offset up to which the partition has to be settled; null if it is. */
    private synchronized @Nullable Long open(TopicPartition partition) {
        return settled.contains(partition) ? null : ends.get(partition);
    }

    private synchronized void settle(TopicPartition partition, long end) {
        Long wanted = ends.get(partition);
        if (wanted != null && wanted == end && !seeks.containsKey(partition)) {
            settled.add(partition);
        }
    }

    private static long committed(Consumer<?, ?> consumer, TopicPartition partition) {
        OffsetAndMetadata offset = consumer.committed(Set.of(partition)).get(partition);
        return offset == null ? -1 : offset.offset();
    }

    /** Returns the records that are not held back, and seeks back to the others. */
    synchronized <K, V> ConsumerRecords<K, V> released(ConsumerRecords<K, V> records, Consumer<?, ?> consumer) {
        Map<TopicPartition, List<ConsumerRecord<K, V>>> released = new LinkedHashMap<>();
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<K, V>> polled = records.records(partition);
            if (heldBack.contains(partition.topic())) {
                consumer.seek(partition, polled.get(0).offset());
            } else {
                released.put(partition, polled);
            }
        }
        List<String> ours = ours(released.values());
        if (!ours.isEmpty() && scenario == probe.history()) {
            probe.delivers(String.join(", ", ours));
        }
        return released.size() == records.partitions().size() ? records : new ConsumerRecords<>(released, Map.of());
    }

    private <K, V> List<String> ours(Collection<List<ConsumerRecord<K, V>>> records) {
        List<String> ours = new ArrayList<>();
        records.forEach(list -> list.forEach(record -> {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            Long first = firsts.get(partition);
            if (first != null && record.offset() >= first) {
                ours.add(partition + "@" + record.offset());
            }
        }));
        return ours;
    }

    /** Notes that a consumer commits offsets. Returns whether the commit reaches the broker: not if its process is dead. */
    boolean commits(@Nullable Object offsets) {
        if (probe.isDead()) {
            return false;
        }
        if (isOurs(offsets)) {
            probe.offsetCommit();
        }
        return true;
    }

    /** Notes that the broker has got offsets of a consumer. */
    void committed(@Nullable Object offsets) {
        if (isOurs(offsets)) {
            probe.offsetsCommitted();
        }
    }

    private synchronized boolean isOurs(@Nullable Object offsets) {
        return offsets instanceof Map<?, ?> map
                && map.entrySet().stream()
                        .anyMatch(each -> each.getKey() instanceof TopicPartition partition
                                && each.getValue() instanceof OffsetAndMetadata offset
                                && firsts.containsKey(partition)
                                && offset.offset() > firsts.get(partition));
    }
}
