package io.idempotency.spring;

import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.InvalidExpiryException;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.store.InvalidMessageIdException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Runs in front of the container's own error handler, which decides on each failure of a record. Other records are polled again without limit, and no
 * attempt is counted: after a transient failure, after records failed together, while a message is in progress elsewhere, after a failed offset
 * commit. Thread-safe.
 */
final class WaitingErrorHandler implements CommonErrorHandler {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final CommonErrorHandler users;
    private final DefaultErrorHandler endless;
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer;
    private final SettledRecords settled;
    private final PartitionWaits waits;
    private final boolean isBatch;
    private final boolean isQuarantining;
    private volatile @Nullable MessageListenerContainer running;

    /**
     * Creates the handler of one container.
     *
     * @param users decides on failures
     * @param isBatch whether the application's listener takes batches; one whose polls share a transaction takes records
     */
    WaitingErrorHandler(
            CommonErrorHandler users,
            IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
            SettledRecords settled,
            PartitionWaits waits,
            boolean isBatch) {
        this.users = users;
        this.consumer = consumer;
        this.settled = settled;
        this.waits = waits;
        this.isBatch = isBatch;
        this.isQuarantining = QuarantineRecoverer.isIn(users);
        this.endless = new DefaultErrorHandler(new FixedBackOff(0, FixedBackOff.UNLIMITED_ATTEMPTS));
        endless.setClassifications(Map.of(), true);
        endless.setLogLevel(KafkaException.Level.DEBUG);
        if (users instanceof DefaultErrorHandler retrying) {
            // A message without a usable id or expiry does not get one by being tried again.
            retrying.addNotRetryableExceptions(InvalidMessageIdException.class, InvalidExpiryException.class);
        }
    }

    CommonErrorHandler users() {
        return users;
    }

    private CommonErrorHandler deciding(
            Exception thrown, @Nullable ConsumerRecord<?, ?> first, MessageListenerContainer container) {
        running = container;
        goOnIfInterrupted(container);
        WaitingException waiting = WaitingException.in(thrown);
        if (waiting != null) {
            waits.await(container, waiting.waits());
            return endless;
        }
        if (first != null && settled.isSettled(first)) {
            log.warn(
                    "The offset of {}@{} could not be committed. The record is processed, and its redelivery will be skipped.",
                    WaitingException.partition(first),
                    first.offset(),
                    thrown);
            return endless;
        }
        LeftRecordsException left = LeftRecordsException.in(thrown);
        ConsumerRecord<?, ?> failed = left == null ? first : left.open().get(0);
        CurrentConsumer.set(consumer, failed == null ? 0 : warnOfAttempt(thrown, failed));
        return users;
    }

    /** Logs before the handler decides, because its decision includes the back-off. Returns the number of the attempt; 0 if the handler counts none. */
    private int warnOfAttempt(Exception thrown, ConsumerRecord<?, ?> record) {
        int attempt =
                users.deliveryAttempt(new TopicPartitionOffset(record.topic(), record.partition(), record.offset()));
        log.warn(
                "Consumer {} failed at {}@{}{}: {}",
                consumer.name(),
                WaitingException.partition(record),
                record.offset(),
                attempt > 0 ? ", attempt " + attempt : "",
                FailureText.lineWithCause(Failure.thrown(thrown)));
        log.debug(
                "Failure at {}@{}", WaitingException.partition(record), record.offset(), FailureText.loggable(thrown));
        return attempt;
    }

    /** Clears the interruption of a thread whose container runs: the container would not stop, but each of its polls would fail. */
    private static void goOnIfInterrupted(MessageListenerContainer container) {
        if (container.isRunning() && Thread.interrupted()) {
            log.warn(
                    "The thread of listener {} was interrupted. Its container was not stopped, so it continues to poll.",
                    container.getListenerId());
        }
    }

    /** Whatever the application's handler says: see {@link PolledAgain}. */
    @Override
    public boolean seeksAfterHandling() {
        return true;
    }

    @Override
    public boolean deliveryAttemptHeader() {
        return users.deliveryAttemptHeader();
    }

    @Override
    public int deliveryAttempt(TopicPartitionOffset where) {
        return users.deliveryAttempt(where);
    }

    @Override
    public void handleOtherException(
            Exception thrown, Consumer<?, ?> consumer, MessageListenerContainer container, boolean isBatch) {
        if (thrown instanceof InterruptException && container.isRunning()) {
            goOnIfInterrupted(container);
            return;
        }
        if (thrown instanceof RecordDeserializationException unreadable && isQuarantining) {
            handleUnreadable(unreadable, consumer, container);
            return;
        }
        users.handleOtherException(thrown, consumer, container, isBatch);
    }

    /**
     * Lets the error handler decide on a record that could not be deserialized, given as raw bytes, as on any failed record. spring-kafka would poll
     * it again and again, without a pause and without an end.
     */
    private void handleUnreadable(
            RecordDeserializationException unreadable, Consumer<?, ?> consumer, MessageListenerContainer container) {
        List<ConsumerRecord<?, ?>> record = List.of(KafkaRecords.raw(unreadable));
        // Returns when it is in quarantine; until then it seeks back and throws.
        handleRemaining(unreadable, record, consumer, container);
        try {
            // Before the seek, which would otherwise leave a gap in what is settled.
            PolledAgain.commit(consumer, container, record);
        } finally {
            consumer.seek(unreadable.topicPartition(), unreadable.offset() + 1);
        }
    }

    @Override
    public void handleRemaining(
            Exception thrown,
            List<ConsumerRecord<?, ?>> records,
            Consumer<?, ?> consumer,
            MessageListenerContainer container) {
        CommonErrorHandler handler = deciding(thrown, records.isEmpty() ? null : records.get(0), container);
        try {
            new PolledAgain(handler, consumer, container).afterRecord(thrown, records);
        } finally {
            awaitRecoverer(container);
        }
    }

    @Override
    public void handleBatch(
            Exception thrown,
            ConsumerRecords<?, ?> records,
            Consumer<?, ?> consumer,
            MessageListenerContainer container,
            Runnable invokeListener) {
        CommonErrorHandler handler = deciding(thrown, null, container);
        try {
            PolledAgain again = new PolledAgain(handler, consumer, container);
            if (isBatch && !(handler instanceof DefaultErrorHandler)) {
                again.afterBatch(thrown, records, invokeListener);
            } else {
                again.afterPoll(thrown, records);
            }
        } finally {
            awaitRecoverer(container);
        }
    }

    /**
     * Waits for the records that a recoverer did not recover. The recoverer itself cannot ask for a pause, and they would be polled again at once.
     */
    private void awaitRecoverer(MessageListenerContainer container) {
        CurrentConsumer current = CurrentConsumer.get();
        if (current != null) {
            waits.await(container, current.waits());
            current.waits().clear();
            CurrentConsumer.remove();
        }
    }

    /**
     * Does nothing while the container runs. It calls this at the end of a thread, but also after each poll that succeeds, even for other partitions:
     * attempts would be counted from one again, without end.
     */
    @Override
    public void clearThreadState() {
        MessageListenerContainer container = running;
        if (container != null && container.isRunning()) {
            return;
        }
        users.clearThreadState();
        endless.clearThreadState();
    }

    @Override
    public boolean isAckAfterHandle() {
        return users.isAckAfterHandle();
    }

    @Override
    public void setAckAfterHandle(boolean ack) {
        users.setAckAfterHandle(ack);
    }

    @Override
    public void onPartitionsAssigned(
            Consumer<?, ?> consumer, Collection<TopicPartition> partitions, Runnable publishPause) {
        users.onPartitionsAssigned(consumer, partitions, publishPause);
    }
}
