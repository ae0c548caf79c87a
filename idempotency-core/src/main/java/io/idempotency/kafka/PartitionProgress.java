package io.idempotency.kafka;

import io.idempotency.BatchResult;
import io.idempotency.Stop;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The progress of one partition in a poll.
 *
 * @param next the offset of the first unsettled record, or the one behind the last record if all are settled
 * @param retryAfter how long the partition waits
 */
record PartitionProgress(boolean isSettled, OffsetAndMetadata next, Duration retryAfter) {

    /** Returns the progress of a partition whose first unsettled record is this one. */
    static PartitionProgress at(ConsumerRecord<?, ?> record, Duration retryAfter) {
        return new PartitionProgress(false, KafkaRecords.offset(record), retryAfter);
    }

    /** Returns the progress of a partition that is settled up to this record, which is the last one polled. */
    static PartitionProgress behind(ConsumerRecord<?, ?> last) {
        return new PartitionProgress(
                true, new OffsetAndMetadata(last.offset() + 1, last.leaderEpoch(), ""), Duration.ZERO);
    }

    /** Returns how far the partitions of these records have come. A record counts as settled only if its outcome says so. */
    static Map<TopicPartition, PartitionProgress> of(List<? extends ConsumerRecord<?, ?>> records, BatchResult result) {
        Map<TopicPartition, PartitionProgress> progress = new HashMap<>();
        int end;
        for (int begin = 0; begin < records.size(); begin = end) {
            end = endOfPartition(records, begin);
            progress.merge(
                    KafkaRecords.partition(records.get(begin)),
                    of(records, result, begin, end),
                    (before, next) -> before.isSettled() ? next : before);
        }
        for (Stop stop : result.stops()) {
            ConsumerRecord<?, ?> record = records.get(stop.index());
            progress.merge(KafkaRecords.partition(record), at(record, stop.retryAfter()), PartitionProgress::earlier);
        }
        return progress;
    }

    /** Returns the end of the records of one partition, which stand together in a poll. */
    private static int endOfPartition(List<? extends ConsumerRecord<?, ?>> records, int begin) {
        ConsumerRecord<?, ?> first = records.get(begin);
        int end = begin + 1;
        while (end < records.size()
                && records.get(end).partition() == first.partition()
                && records.get(end).topic().equals(first.topic())) {
            end++;
        }
        return end;
    }

    private static PartitionProgress of(
            List<? extends ConsumerRecord<?, ?>> records, BatchResult result, int begin, int end) {
        for (int i = begin; i < end; i++) {
            if (!result.outcomes().get(i).isSettled()) {
                return at(records.get(i), Duration.ZERO);
            }
        }
        return behind(records.get(end - 1));
    }

    /** Takes the time from the stop, and the earlier offset of stop and outcomes. */
    private PartitionProgress earlier(PartitionProgress stop) {
        boolean isOutcomeFirst = !isSettled && next.offset() < stop.next.offset();
        return new PartitionProgress(false, isOutcomeFirst ? next : stop.next, stop.retryAfter);
    }
}
