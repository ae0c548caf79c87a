package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Stop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a container is told about the records that it handed over, one record or a poll.
 *
 * <pre>
 * The idempotent consumer             Kind      The container
 * ----------------------------------  --------  --------------------------------------------------------------
 * settled all records                 SETTLED   commits their offsets
 * stopped: the listener called nack   NACKED    polls again from that record, after the time that nack named
 * stopped: a record is charged        FAILED    asks its error handler: retry, recover, quarantine
 * stopped for another reason          WAITING   polls again; {@link WaitingErrorHandler} waits, and counts no attempt
 * threw, as without its tables        WAITING   the same, after a while in all partitions
 * did not get all records yet         WAITING   the same, at once
 * </pre>
 *
 * @param stops the indexes of the records to poll again from: at least the first unsettled one of each partition; empty if all are settled
 * @param reason the exception to throw; for {@link Kind#NACKED} the negative acknowledgment; empty if all records are settled
 */
record Decision(Kind kind, List<Integer> stops, Optional<Throwable> reason) {

    private static final Decision ALL_SETTLED = new Decision(Kind.SETTLED, List.of(), Optional.empty());

    enum Kind {
        SETTLED,
        NACKED,
        FAILED,
        WAITING
    }

    /**
     * Runs the consumption, and decides.
     *
     * @param handed how many of the records the consumer gets, from the first one on
     */
    static Decision after(
            Supplier<BatchResult> consumption,
            IdempotentConsumer<?> consumer,
            List<ConsumerRecord<Object, Object>> records,
            int handed) {
        try {
            return of(consumption.get(), records, handed);
        } catch (RuntimeException e) {
            // The replayer decides what becomes of its message, and says so.
            if (consumer.isReplaying()) {
                throw e;
            }
            return new Decision(
                    Kind.WAITING,
                    IntStream.range(0, records.size()).boxed().toList(),
                    Optional.of(WaitingException.standingStill(consumer.name(), records, e)));
        }
    }

    private static Decision of(BatchResult result, List<ConsumerRecord<Object, Object>> records, int handed) {
        if (result.isSettled() && handed == records.size()) {
            return ALL_SETTLED;
        }
        List<Integer> stops = new ArrayList<>();
        result.stops().forEach(stop -> stops.add(stop.index()));
        IntStream.range(handed, records.size()).forEach(stops::add);
        if (result.isSettled()) {
            return new Decision(Kind.WAITING, stops, Optional.of(WaitingException.of(records.get(handed))));
        }
        Stop first = result.stops().stream()
                .min(Comparator.comparingInt(Stop::index))
                .orElseThrow();
        Throwable cause = first.cause().orElse(null);
        if (cause == null || !first.isCharged()) {
            return new Decision(Kind.WAITING, stops, Optional.of(WaitingException.of(records, result)));
        }
        return cause instanceof RememberedAck.Nack
                ? new Decision(Kind.NACKED, stops, Optional.of(cause))
                : new Decision(Kind.FAILED, stops, Optional.of(Failure.presentable(cause)));
    }

    /** Returns the index of the first record that is not settled. */
    int index() {
        return Collections.min(stops);
    }

    /** Returns how long the listener wants its nacked record to wait. */
    Duration sleep() {
        return ((RememberedAck.Nack) thrown()).sleep();
    }

    /** Returns the exception to throw if a record failed or waits. */
    Throwable thrown() {
        return reason.orElseThrow();
    }

    /** Returns the failure behind the decision, or null. */
    @Nullable
    Throwable failure() {
        Throwable thrown = reason.orElse(null);
        return thrown instanceof WaitingException ? thrown.getCause() : thrown;
    }
}
