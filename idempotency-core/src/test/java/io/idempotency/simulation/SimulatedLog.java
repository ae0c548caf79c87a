package io.idempotency.simulation;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/** The records of one topic. Its partitions have gaps: markers of transactions, and records that were compacted away. */
final class SimulatedLog {

    static final String TOPIC = "orders";

    private final Simulation simulation;
    private final List<List<Entry>> partitions = new ArrayList<>();
    private final List<Long> ends = new ArrayList<>();

    /** A record. */
    record Entry(long offset, String id) {}

    SimulatedLog(Simulation simulation, int count) {
        this.simulation = simulation;
        for (int i = 0; i < count; i++) {
            partitions.add(new ArrayList<>());
            ends.add(0L);
        }
    }

    static TopicPartition partition(int number) {
        return new TopicPartition(TOPIC, number);
    }

    /** Returns records and ends, for whoever reads a failing schedule. */
    @Override
    public String toString() {
        return "records " + partitions + ", ends " + ends;
    }

    int partitions() {
        return partitions.size();
    }

    /** Appends a record, sometimes behind a gap. */
    void append(int partition, String id) {
        long offset = ends.get(partition);
        if (simulation.choices().oneIn(6)) {
            offset++;
        }
        partitions.get(partition).add(new Entry(offset, id));
        ends.set(partition, offset + 1);
    }

    /** Appends something that no consumer gets to see. */
    void appendMarker(int partition) {
        ends.set(partition, ends.get(partition) + 1);
    }

    /** Takes the first record out that has a later copy in its partition. */
    void compact() {
        for (List<Entry> records : partitions) {
            for (int i = 0; i < records.size(); i++) {
                String id = records.get(i).id();
                if (records.subList(i + 1, records.size()).stream()
                        .anyMatch(later -> later.id().equals(id))) {
                    simulation.visit(Branch.COMPACTED);
                    simulation.note("is compacted: " + records.remove(i));
                    return;
                }
            }
        }
    }

    List<Entry> from(int partition, long offset, int most) {
        return partitions.get(partition).stream()
                .filter(entry -> entry.offset() >= offset)
                .limit(most)
                .toList();
    }

    /** Returns the records in front of the offset. */
    List<Entry> before(int partition, long offset) {
        return partitions.get(partition).stream()
                .filter(entry -> entry.offset() < offset)
                .toList();
    }

    /** Returns the offset of the next record, or the end. */
    long next(int partition, long offset) {
        return from(partition, offset, 1).stream()
                .map(Entry::offset)
                .findFirst()
                .orElse(ends.get(partition));
    }

    /** Returns the offset behind the last record, and behind the markers, too, if they are asked for. */
    long end(int partition, boolean isWithMarkers) {
        List<Entry> records = partitions.get(partition);
        long behind = records.isEmpty() ? 0 : records.get(records.size() - 1).offset() + 1;
        return isWithMarkers ? ends.get(partition) : behind;
    }
}
