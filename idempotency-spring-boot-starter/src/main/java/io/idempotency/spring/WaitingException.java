package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Stop;
import io.idempotency.jdbc.MissingTableException;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thrown if records have to be polled again although none of them failed; some partitions wait before that. The container passes it to
 * {@link WaitingErrorHandler}. It never counts as an attempt.
 */
final class WaitingException extends IdempotencyException {

    private static final long serialVersionUID = 1L;
    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final transient Map<TopicPartition, Duration> waits;

    private WaitingException(String message, Map<TopicPartition, Duration> waits, @Nullable Throwable cause) {
        super(message);
        this.waits = waits;
        if (cause != null) {
            initCause(Failure.presentable(cause));
        }
    }

    static WaitingException of(List<ConsumerRecord<Object, Object>> records, BatchResult result) {
        Map<TopicPartition, Duration> waits = new HashMap<>();
        result.stops().forEach(stop -> waits.put(partition(records.get(stop.index())), stop.retryAfter()));
        Stop first = result.stops().get(0);
        return new WaitingException(
                "Waiting at " + partition(records.get(first.index())) + "@"
                        + records.get(first.index()).offset(),
                waits,
                first.cause().orElse(null));
    }

    /** Returns the exception for a record that was not handed over yet. */
    static WaitingException of(ConsumerRecord<?, ?> record) {
        return new WaitingException(
                "Waiting at " + partition(record) + "@" + record.offset(),
                Map.of(partition(record), Duration.ZERO),
                null);
    }

    /**
     * Returns the exception that hands a record and the rest of its poll back to the container. The container commits the offsets in front of it and
     * polls again.
     */
    static WaitingException handedBack(ConsumerRecord<?, ?> record) {
        log.info(
                "The records of a poll took a quarter of max.poll.interval.ms. The rest from {}@{} on is polled again, so that"
                        + " the offsets of settled records are committed. A smaller max.poll.records avoids this.",
                partition(record),
                record.offset());
        return new WaitingException("Handed back at " + partition(record) + "@" + record.offset(), Map.of(), null);
    }

    /** Returns the exception for a store that cannot be used at all. No record failed, so none is recovered. */
    static WaitingException standingStill(
            String consumer, List<ConsumerRecord<Object, Object>> records, RuntimeException cause) {
        Map<TopicPartition, Duration> waits = new HashMap<>();
        for (ConsumerRecord<Object, Object> record : records) {
            if (waits.putIfAbsent(partition(record), IdempotentConsumer.STAND_STILL) == null) {
                log.error(
                        "Consumer {} stands still at {}@{}: {}. It is tried again in {} s, and nothing is lost.",
                        consumer,
                        partition(record),
                        record.offset(),
                        why(cause),
                        IdempotentConsumer.STAND_STILL.toSeconds());
            }
        }
        log.debug("Consumer {} stands still.", consumer, FailureText.loggable(cause));
        ConsumerRecord<Object, Object> first = records.get(0);
        return new WaitingException("Standing still at " + partition(first) + "@" + first.offset(), waits, cause);
    }

    /** Returns the reason without its wrappers, and the properties that may help. */
    private static String why(RuntimeException failure) {
        List<Throwable> causes = Failure.causes(failure);
        Throwable root = causes.get(causes.size() - 1);
        if (causes.stream().anyMatch(MissingTableException.class::isInstance)) {
            return "a table is missing or out of reach (" + FailureText.line(root)
                    + "). See idempotency.schema.mode, which can create the tables, and idempotency.schema.name and .table-prefix";
        }
        Throwable first = causes.get(Math.min(1, causes.size() - 1));
        return first instanceof IdempotencyException ? FailureText.line(first) : FailureText.lineWithCause(first);
    }

    /** Returns the exception for settled records whose offsets could not be committed. No record failed. */
    static WaitingException offsetNotCommitted(ConsumerRecord<?, ?> record, RuntimeException cause) {
        log.warn(
                "The offset behind {}@{} could not be committed. Redelivered records will be skipped.",
                partition(record),
                record.offset(),
                cause);
        return new WaitingException(
                "The offset behind " + partition(record) + "@" + record.offset() + " could not be committed",
                Map.of(),
                cause);
    }

    Map<TopicPartition, Duration> waits() {
        return waits;
    }

    /** Returns the one in the chain of causes, or null. */
    static @Nullable WaitingException in(@Nullable Throwable failure) {
        for (Throwable next : failure == null ? List.<Throwable>of() : Failure.causes(failure)) {
            if (next instanceof WaitingException waiting) {
                return waiting;
            }
        }
        return null;
    }

    static TopicPartition partition(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }
}
