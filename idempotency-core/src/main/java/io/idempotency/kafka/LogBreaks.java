package io.idempotency.kafka;

import io.idempotency.store.SettledRun;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at polled records for what ends a run of settled offsets. Not thread-safe: used on the polling thread.
 *
 * <ul>
 *   <li>A gap: the broker has deleted the next record of a partition, and Kafka goes on where {@code auto.offset.reset} says, which may be behind records that nobody has handled.
 *   <li>A cut: a broker without the last records was elected leader, and their offsets belong to other records now. Those have a newer leader epoch.
 * </ul>
 */
final class LogBreaks {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    private final String consumer;
    private final StoredRuns runs;
    private final String reset;
    private final boolean mayLeaveOut;

    /** @param reset the {@code auto.offset.reset} of the consumer */
    LogBreaks(String consumer, StoredRuns runs, String reset) {
        this.consumer = consumer;
        this.runs = runs;
        this.reset = reset;
        this.mayLeaveOut = !reset.equals(StoredOffsets.EARLIEST) && !reset.equals(StoredOffsets.NONE);
    }

    /**
     * Begins new runs where there are breaks. Never throws, because what was polled would be lost. One round trip if the first record of a partition is not right behind the settled ones, and
     * none under {@code earliest} and {@code none}.
     */
    void check(Consumer<?, ?> kafka, ConsumerRecords<?, ?> polled) {
        Map<TopicPartition, Long> ahead = new HashMap<>();
        polled.nextOffsets().forEach((partition, next) -> {
            List<? extends ConsumerRecord<?, ?>> records = polled.records(partition);
            checkCut(partition, records);
            // Kafka may have gone to the end, where there are none yet.
            long first = records.isEmpty() ? next.offset() : records.get(0).offset();
            if (mayLeaveOut
                    && runs.run(partition).filter(run -> first > run.end()).isPresent()) {
                ahead.put(partition, first);
            }
        });
        if (!ahead.isEmpty()) {
            Map<TopicPartition, Long> firsts = firstRecords(kafka, ahead.keySet());
            ahead.forEach((partition, first) -> checkGap(partition, first, firsts.get(partition)));
        }
    }

    private void checkCut(TopicPartition partition, List<? extends ConsumerRecord<?, ?>> records) {
        Optional<SettledRun> known = runs.run(partition);
        if (known.isEmpty() || records.isEmpty()) {
            return;
        }
        SettledRun run = known.get();
        for (ConsumerRecord<?, ?> record : records) {
            int epoch = record.leaderEpoch().orElse(-1);
            if (record.offset() >= run.end()) {
                break;
            }
            if (run.leaderEpoch() >= 0 && epoch > run.leaderEpoch()) {
                runs.cutAt(partition, record.offset(), epoch);
                warnOfCut(partition, record.offset());
                break;
            }
        }
        ConsumerRecord<?, ?> last = records.get(records.size() - 1);
        if (last.offset() + 1 >= run.end()) {
            last.leaderEpoch().ifPresent(epoch -> runs.polled(partition, epoch));
        }
    }

    void warnOfCut(TopicPartition partition, long offset) {
        log.warn(
                "Consumer {}: the log of {} was cut off at {}, as by an unclean election of a leader. What comes from there on is handled, whatever was settled there.",
                consumer,
                partition,
                offset);
    }

    /** @param there the first record of the log; null if that is not known */
    private void checkGap(TopicPartition partition, long first, @Nullable Long there) {
        long end = runs.run(partition).map(SettledRun::end).orElse(first);
        if (there != null && (there <= end || there == first)) {
            return;
        }
        runs.skippedTo(partition, first);
        log.warn(
                "Consumer {}: Kafka goes on at {} of {}, by auto.offset.reset={}. All in front of {} was settled, {}. If records in between are to be handled, set the offset of the group back.",
                consumer,
                first,
                partition,
                reset,
                end,
                there == null
                        ? "and Kafka does not tell which later ones are deleted"
                        : "and records in front of " + there + " are deleted");
    }

    /** Returns nothing if Kafka does not answer. */
    private static Map<TopicPartition, Long> firstRecords(Consumer<?, ?> kafka, Set<TopicPartition> partitions) {
        try {
            return kafka.beginningOffsets(partitions);
        } catch (WakeupException wakeup) {
            kafka.wakeup();
            return Map.of();
        } catch (RuntimeException away) {
            // An interrupt stays set.
            return Map.of();
        }
    }
}
