package io.idempotency.simulation;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RecordDeserializationException.DeserializationExceptionOrigin;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** What one client reads of the log from its positions on, which it moves. */
record Fetch(Simulation simulation, Map<TopicPartition, Long> positions, Set<TopicPartition> paused) {

    private static final int MOST_RECORDS = 8;

    /** Returns the next records of the partitions that are not paused, in front of the first one that cannot be read. */
    ConsumerRecords<String, String> records() {
        Map<TopicPartition, List<ConsumerRecord<String, String>>> records = new LinkedHashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        int most = 1 + simulation.choices().below(MOST_RECORDS);
        for (TopicPartition partition : List.copyOf(positions.keySet())) {
            if (!paused.contains(partition) && most > 0) {
                List<ConsumerRecord<String, String>> fetched = fetch(partition, most, next);
                most -= fetched.size();
                if (!fetched.isEmpty()) {
                    records.put(partition, fetched);
                }
            }
        }
        if (!next.isEmpty()) {
            simulation.note(
                    "polls " + records.values().stream().map(Fetch::named).toList());
        }
        return new ConsumerRecords<>(records, next);
    }

    private static List<String> named(List<ConsumerRecord<String, String>> records) {
        return records.stream()
                .map(record -> record.key() + "@" + record.partition() + "-" + record.offset())
                .toList();
    }

    private List<ConsumerRecord<String, String>> fetch(
            TopicPartition partition, int most, Map<TopicPartition, OffsetAndMetadata> next) {
        long from = positions.getOrDefault(partition, 0L);
        List<ConsumerRecord<String, String>> fetched = new ArrayList<>();
        for (SimulatedLog.Entry entry : simulation.log().from(partition.partition(), from, most)) {
            if (simulation.producer().isUnreadable(entry.id())) {
                break;
            }
            fetched.add(new ConsumerRecord<>(
                    partition.topic(), partition.partition(), entry.offset(), entry.id(), entry.id()));
        }
        long behind = fetched.isEmpty() ? from : fetched.get(fetched.size() - 1).offset() + 1;
        long position = fetched.isEmpty() || simulation.choices().below(2) == 1
                ? simulation.log().next(partition.partition(), behind)
                : behind;
        if (position > behind) {
            simulation.visit(Branch.GAP_PASSED);
        }
        if (position > from) {
            positions.put(partition, position);
            next.put(partition, new OffsetAndMetadata(position, Optional.empty(), ""));
        }
        return fetched;
    }

    /** Returns whether a partition that is not paused has a record. */
    boolean isPossible() {
        return positions.entrySet().stream()
                .anyMatch(position -> !paused.contains(position.getKey())
                        && !next(position.getKey(), position.getValue()).isEmpty());
    }

    private List<SimulatedLog.Entry> next(TopicPartition partition, long position) {
        return simulation.log().from(partition.partition(), position, 1);
    }

    /** Throws at a record that cannot be deserialized. The position stays there. */
    void throwUnreadable() {
        positions.forEach((partition, position) -> {
            if (paused.contains(partition)) {
                return;
            }
            for (SimulatedLog.Entry entry : next(partition, position)) {
                if (simulation.producer().isUnreadable(entry.id())) {
                    simulation.visit(Branch.UNREADABLE);
                    simulation.note("cannot read " + entry);
                    simulation.history().failed(simulation.id(entry.id()));
                    throw unreadable(partition, entry);
                }
            }
        });
    }

    private static RecordDeserializationException unreadable(TopicPartition partition, SimulatedLog.Entry entry) {
        byte[] bytes = entry.id().getBytes(StandardCharsets.UTF_8);
        return new RecordDeserializationException(
                DeserializationExceptionOrigin.VALUE,
                partition,
                entry.offset(),
                0,
                TimestampType.CREATE_TIME,
                ByteBuffer.wrap(bytes),
                ByteBuffer.wrap(bytes),
                new RecordHeaders().add("message-id", bytes),
                "Not what was expected",
                new SerializationException("Not what was expected"));
    }
}
