package io.idempotency.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Hands the records of a poll to a shadow consumer: a handler of single records gets them partition by partition, each up to its first failure; a handler of
 * batches gets all of them in one call.
 */
final class WatchedPoll {

    private WatchedPoll() {}

    /** Notes how far each partition has come. Returns the first failure of the handler, the others suppressed in it. */
    static <K, V> Optional<Throwable> handle(
            BoundConsumer<K, V> bound, PollProgress<K, V> progress, List<ConsumerRecord<K, V>> records) {
        Map<TopicPartition, List<ConsumerRecord<K, V>>> partitions = new LinkedHashMap<>();
        records.forEach(record -> partitions
                .computeIfAbsent(KafkaRecords.partition(record), key -> new ArrayList<>())
                .add(record));
        if (bound.isBatch()) {
            Optional<Throwable> failure = records.isEmpty() ? Optional.empty() : failure(bound, records);
            if (failure.isEmpty()) {
                partitions.forEach((partition, some) ->
                        progress.note(partition, PartitionProgress.behind(some.get(some.size() - 1))));
            }
            return failure;
        }
        @Nullable Throwable first = null;
        for (Map.Entry<TopicPartition, List<ConsumerRecord<K, V>>> each : partitions.entrySet()) {
            Optional<Throwable> failure = handle(bound, progress, each.getKey(), each.getValue());
            if (first == null) {
                first = failure.orElse(null);
            } else if (failure.isPresent() && failure.get() != first) {
                first.addSuppressed(failure.get());
            }
        }
        return Optional.ofNullable(first);
    }

    private static <K, V> Optional<Throwable> handle(
            BoundConsumer<K, V> bound,
            PollProgress<K, V> progress,
            TopicPartition partition,
            List<ConsumerRecord<K, V>> records) {
        for (ConsumerRecord<K, V> record : records) {
            Optional<Throwable> failure = failure(bound, List.of(record));
            if (failure.isPresent()) {
                progress.note(partition, PartitionProgress.at(record, Duration.ZERO));
                return failure;
            }
        }
        progress.note(partition, PartitionProgress.behind(records.get(records.size() - 1)));
        return Optional.empty();
    }

    private static <K, V> Optional<Throwable> failure(BoundConsumer<K, V> bound, List<ConsumerRecord<K, V>> records) {
        try {
            bound.consume(records);
            return Optional.empty();
        } catch (Throwable failure) {
            Contained.letFatalLeave(failure);
            return Optional.of(failure);
        }
    }

    /** Throws a failure of a handler as it is, checked or not. */
    @SuppressWarnings("unchecked")
    static <T extends Throwable> void rethrow(Throwable failure) throws T {
        throw (T) failure;
    }
}
