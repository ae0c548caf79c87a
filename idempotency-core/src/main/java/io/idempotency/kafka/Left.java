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
 * How far one partition has come.
 *
 * @param next where the first unsettled record stands, or the end of the last one if all are settled
 * @param retryAfter how long the partition waits
 */
record Left(boolean isSettled, OffsetAndMetadata next, Duration retryAfter) {

    /** Returns a partition that was left at the record. */
    static Left at(ConsumerRecord<?, ?> record, Duration retryAfter) {
        return new Left(false, KafkaRecords.offset(record), retryAfter);
    }

    /** Returns how far the partitions of these records have come. A record counts as settled only if its outcome says so. */
    static Map<TopicPartition, Left> of(List<? extends ConsumerRecord<?, ?>> records, BatchResult result) {
        Map<TopicPartition, Left> left = new HashMap<>();
        int end;
        for (int begin = 0; begin < records.size(); begin = end) {
            end = endOfPartition(records, begin);
            left.merge(
                    KafkaRecords.partition(records.get(begin)),
                    of(records, result, begin, end),
                    (before, next) -> before.isSettled() ? next : before);
        }
        for (Stop stop : result.stops()) {
            ConsumerRecord<?, ?> record = records.get(stop.index());
            left.merge(KafkaRecords.partition(record), at(record, stop.retryAfter()), Left::earlier);
        }
        return left;
    }

    /** Returns where the records end that are of one partition: they stand together in a poll. */
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

    private static Left of(List<? extends ConsumerRecord<?, ?>> records, BatchResult result, int begin, int end) {
        for (int i = begin; i < end; i++) {
            if (!result.outcomes().get(i).isSettled()) {
                return at(records.get(i), Duration.ZERO);
            }
        }
        ConsumerRecord<?, ?> last = records.get(end - 1);
        return new Left(true, new OffsetAndMetadata(last.offset() + 1, last.leaderEpoch(), ""), Duration.ZERO);
    }

    /** The stop tells the time; the place is the earlier one of what stop and outcomes say. */
    private Left earlier(Left stop) {
        boolean isOutcomeFirst = !isSettled && next.offset() < stop.next.offset();
        return new Left(false, isOutcomeFirst ? next : stop.next, stop.retryAfter);
    }
}
