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
        for (int i = 0; i < records.size(); i++) {
            ConsumerRecord<?, ?> record = records.get(i);
            Left here = result.outcomes().get(i).isSettled()
                    ? new Left(true, record.offset() + 1, Duration.ZERO)
                    : new Left(false, record.offset(), Duration.ZERO);
            left.merge(KafkaRecords.partition(record), here, (before, next) -> before.isSettled() ? next : before);
        }
        for (Stop stop : result.stops()) {
            ConsumerRecord<?, ?> record = records.get(stop.index());
            Left here = new Left(false, record.offset(), stop.retryAfter());
            left.merge(KafkaRecords.partition(record), here, Left::earlier);
        }
        return left;
    }

    /** The stop tells the time; the place is the earlier one of what stop and outcomes say. */
    private Left earlier(Left stop) {
        boolean isOutcomeFirst = !isSettled && offset < stop.offset;
        return new Left(false, isOutcomeFirst ? offset : stop.offset, stop.retryAfter);
    }
}
