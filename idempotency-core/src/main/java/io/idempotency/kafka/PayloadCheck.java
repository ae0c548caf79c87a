package io.idempotency.kafka;

import io.idempotency.Duplicate;
import io.idempotency.ResendCheck;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Compares a record that was sent again with the one at the first position, which is read again from Kafka: the bytes of the value, or what a function takes of
 * both. A value that was deserialized is read again, too.
 *
 * <pre>{@code
 * KafkaRecords.<String, Order>consumer("billing").resends(PayloadCheck.of(Policy.QUARANTINE).build())
 * }</pre>
 *
 * <p>A comparison takes one or two fetches, each of at most five seconds. There are at most ten a second for each consumer; beyond that, messages are skipped
 * without a comparison under {@link ResendCheck.Policy#SKIP}, and wait under the other policies. A record that is gone, or is younger than the processing of the
 * first one, as after a topic was created again, says nothing. Thread-safe.
 */
public final class PayloadCheck implements ResendCheck<ConsumerRecord<?, ?>> {

    /** How many records are compared in a second at most, unless set otherwise. */
    public static final int DEFAULT_PER_SECOND = 10;

    /** The clocks of senders and of the database may differ by so much. */
    private static final Duration AHEAD = Duration.ofMinutes(1);

    private static final long SECOND_NANOS = 1_000_000_000;

    /** Takes what is compared of a record: the same bytes for copies, other bytes for other messages. */
    @FunctionalInterface
    public interface Content {

        /** Returns the bytes to compare. Called with raw records, as they are in the topic. */
        byte @Nullable [] of(ConsumerRecord<byte[], byte[]> record);
    }

    private final Policy policy;
    private final Optional<RecordReread> reread;
    private final Content content;
    private final int perSecond;
    private final LongSupplier nanoTime;
    private long secondNanos;
    private int inThisSecond;

    private PayloadCheck(Builder builder) {
        this.policy = builder.policy;
        this.reread = Optional.ofNullable(builder.reread);
        this.content = builder.content;
        this.perSecond = builder.perSecond;
        this.nanoTime = builder.nanoTime;
        this.secondNanos = nanoTime.getAsLong();
    }

    /** Returns a builder of a check with the policy. */
    public static Builder of(Policy policy) {
        return new Builder(policy);
    }

    @Override
    public Policy policy() {
        return policy;
    }

    @Override
    public Result compare(ConsumerRecord<?, ?> record, Duplicate duplicate) {
        if (!isDue()) {
            return Result.UNCHECKED;
        }
        RecordReread from = reread.or(() -> RecordReread.ofLoop(record))
                .orElseThrow(
                        () -> new IdempotencyException(
                                "Records are read again only if a PollLoop polled them. Set PayloadCheck.of(..).reread(RecordReread.of(properties))"));
        long processedMillis = System.currentTimeMillis() - duplicate.age().toMillis();
        Optional<ConsumerRecord<byte[], byte[]>> first = from.at(duplicate.first(), ConsumerRecord.NO_TIMESTAMP)
                .filter(found -> found.timestamp() <= processedMillis + AHEAD.toMillis());
        Optional<ConsumerRecord<byte[], byte[]>> again = first.isEmpty() ? first : KafkaRecords.raw(record, from);
        if (again.isEmpty()) {
            return Result.UNKNOWN;
        }
        return Arrays.equals(content.of(first.get()), content.of(again.get())) ? Result.SAME : Result.DIFFERENT;
    }

    private synchronized boolean isDue() {
        long now = nanoTime.getAsLong();
        if (now - secondNanos >= SECOND_NANOS) {
            secondNanos = now;
            inThisSecond = 0;
        }
        return inThisSecond++ < perSecond;
    }

    /** Settings of a check. Not thread-safe. */
    public static final class Builder {

        private final Policy policy;
        private @Nullable RecordReread reread;
        private Content content = ConsumerRecord::value;
        private int perSecond = DEFAULT_PER_SECOND;
        private LongSupplier nanoTime = System::nanoTime;

        private Builder(Policy policy) {
            this.policy = policy;
        }

        /** Sets the reader of records. A {@link PollLoop} has one of its own; every other loop needs this. The caller closes it. */
        public Builder reread(RecordReread from) {
            reread = from;
            return this;
        }

        /** Sets what is compared; the bytes of the value by default. */
        public Builder content(Content compared) {
            content = compared;
            return this;
        }

        /** Sets how many records are compared in a second at most; {@value PayloadCheck#DEFAULT_PER_SECOND} by default. */
        public Builder perSecond(int records) {
            perSecond = records;
            return this;
        }

        Builder nanoTime(LongSupplier clock) {
            nanoTime = clock;
            return this;
        }

        /**
         * Returns the check.
         *
         * @throws IdempotencyException if no record may be compared in a second
         */
        public PayloadCheck build() {
            if (perSecond < 1) {
                throw new IdempotencyException(
                        "A payload check compares at least one record a second, not " + perSecond);
            }
            return new PayloadCheck(this);
        }
    }
}
