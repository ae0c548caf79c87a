package io.idempotency.kafka;

import io.idempotency.BatchResult;
import io.idempotency.Stop;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * How far one partition has come.
 *
 * @param offset the first unsettled record, or the one behind the last if all are settled
 * @param retryAfter how long the partition waits
 */
record Left(boolean isSettled, long offset, Duration retryAfter) {

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
            Left here = new Left(false, record.offset(), stop.retryAfter());
            left.merge(KafkaRecords.partition(record), here, Left::earlier);
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
                return new Left(false, records.get(i).offset(), Duration.ZERO);
            }
        }
        return new Left(true, records.get(end - 1).offset() + 1, Duration.ZERO);
    }

    /** The stop tells the time; the place is the earlier one of what stop and outcomes say. */
    private Left earlier(Left stop) {
        boolean isOutcomeFirst = !isSettled && offset < stop.offset;
        return new Left(false, isOutcomeFirst ? offset : stop.offset, stop.retryAfter);
    }
}
