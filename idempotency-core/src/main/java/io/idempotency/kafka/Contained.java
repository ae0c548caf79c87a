package io.idempotency.kafka;

import io.idempotency.BatchResult;
import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageIdExtractor;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the idempotent consumer and contains its exceptions. If the store cannot be used, or a listener or policy throws an error, only the
 * partitions of the records wait. Errors of the virtual machine leave.
 */
final class Contained {

    private static final Logger log = LoggerFactory.getLogger(RecordProcessor.class);

    /** How long partitions wait after a transient failure. */
    static final Duration LATER = Duration.ofSeconds(1);

    private Contained() {}

    /** Returns how far the partitions of the records have come. */
    static <K, V> Map<TopicPartition, PartitionProgress> consume(
            BoundConsumer<K, V> bound, List<ConsumerRecord<K, V>> records) {
        try {
            return PartitionProgress.of(records, bound.consume(records));
        } catch (RuntimeException | Error failure) {
            letFatalLeave(failure);
            Map<TopicPartition, List<ConsumerRecord<K, V>>> partitions = new LinkedHashMap<>();
            records.forEach(record -> partitions
                    .computeIfAbsent(KafkaRecords.partition(record), key -> new ArrayList<>())
                    .add(record));
            Map<TopicPartition, PartitionProgress> progress = new HashMap<>();
            if (partitions.size() == 1 || failure instanceof IdempotencyException) {
                Duration wait = wait(bound, partitions, failure);
                partitions.forEach(
                        (partition, some) -> progress.put(partition, PartitionProgress.at(some.get(0), wait)));
            } else {
                log.warn(
                        "The records of {} failed together; they are tried again partition by partition.",
                        partitions.keySet(),
                        FailureText.loggable(failure));
                partitions.values().forEach(some -> progress.putAll(consume(bound, some)));
            }
            return progress;
        }
    }

    /** Returns how long the partition waits at a record that could not be deserialized; empty if it is settled. */
    static Optional<Duration> reject(
            BoundConsumer<?, ?> bound,
            RejectedRecord rejected,
            MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        try {
            BatchResult result = bound.reject(
                    rejected.position(), Optional.of(rejected.messageId(ids)), rejected.payload(), rejected.failure());
            return result.isSettled()
                    ? Optional.empty()
                    : Optional.of(result.stops().get(0).retryAfter());
        } catch (RuntimeException | Error failure) {
            letFatalLeave(failure);
            return Optional.of(wait(bound, Map.of(rejected.failure().topicPartition(), List.of()), failure));
        }
    }

    private static Duration wait(BoundConsumer<?, ?> bound, Map<TopicPartition, ?> partitions, Throwable failure) {
        if (failure instanceof TransientStoreException) {
            log.warn(
                    "Consumer {}: the records of {} wait {} s: {}",
                    bound.describe(),
                    partitions.keySet(),
                    LATER.toSeconds(),
                    FailureText.line(failure));
            log.debug("The records wait because of this failure.", FailureText.loggable(failure));
            return LATER;
        }
        log.error(
                "Consumer {}: the partitions {} stand still; they are tried again every {} s. Nothing is lost.",
                bound.describe(),
                partitions.keySet(),
                IdempotentConsumer.STAND_STILL.toSeconds(),
                FailureText.loggable(failure));
        return IdempotentConsumer.STAND_STILL;
    }

    /** Returns an exception that left a thread, to be thrown by another one; errors are thrown at once. */
    static RuntimeException fatal(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return failure instanceof RuntimeException known ? known : new IllegalStateException(failure);
    }

    /** Rethrows an error of the virtual machine, except a stack overflow: that is a failure of the message. */
    static void letFatalLeave(Throwable failure) {
        if (failure instanceof VirtualMachineError error && !(failure instanceof StackOverflowError)) {
            throw error;
        }
    }
}
