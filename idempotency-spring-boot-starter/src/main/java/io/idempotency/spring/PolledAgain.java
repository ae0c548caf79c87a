package io.idempotency.spring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.ListenerUtils;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Has an error handler decide on what failed, and all that is not done polled again. A handler may keep records in memory instead, by {@code
 * seekAfterError=false} or because it does not seek at all; the listener would then get the very objects that it has changed, and see its
 * own changes.
 */
final class PolledAgain {

    private static final Logger log = LoggerFactory.getLogger(PolledAgain.class);

    private PolledAgain() {}

    /** Has the handler decide on the first of the records. Returns if it is done with; the others come again. */
    static void afterRecord(
            CommonErrorHandler handler,
            Exception thrown,
            List<ConsumerRecord<?, ?>> records,
            Consumer<?, ?> consumer,
            MessageListenerContainer container) {
        // This one seeks here, whatever it says.
        if (handler.seeksAfterHandling() || handler instanceof DefaultErrorHandler) {
            handler.handleRemaining(thrown, records, consumer, container);
            return;
        }
        boolean isDone = handler.handleOne(thrown, records.get(0), consumer, container);
        List<ConsumerRecord<?, ?>> rest = isDone ? records.subList(1, records.size()) : records;
        seek(consumer, rest);
        if (!isDone) {
            throw comesAgain(rest, thrown);
        }
    }

    /**
     * Has the handler decide on the record of a poll that failed as if it came alone, so that it sees what the listener threw. Returns if all
     * of the poll is done with.
     */
    static void afterPoll(
            CommonErrorHandler handler,
            Exception thrown,
            ConsumerRecords<?, ?> polled,
            Consumer<?, ?> consumer,
            MessageListenerContainer container) {
        List<ConsumerRecord<?, ?>> records = list(polled);
        BatchListenerFailedException failure = failure(thrown);
        int at = indexOf(failure == null ? null : failure.getRecord(), records);
        if (failure == null || at < 0) {
            seek(consumer, records);
            throw comesAgain(records, thrown, KafkaException.Level.ERROR);
        }
        List<ConsumerRecord<?, ?>> left = records.subList(at, records.size());
        try {
            commit(consumer, container, records.subList(0, at));
        } catch (RuntimeException e) {
            log.warn("The offsets before {} could not be committed; what comes again is skipped.", at(left.get(0)), e);
        }
        afterRecord(handler, alone(thrown, failure), left, consumer, container);
        commit(consumer, container, left.subList(0, 1));
        if (left.size() > 1) {
            throw comesAgain(left.subList(1, left.size()), thrown);
        }
    }

    /** Has a handler of the application's own decide on a whole batch. */
    static void afterBatch(
            CommonErrorHandler handler,
            Exception thrown,
            ConsumerRecords<?, ?> polled,
            Consumer<?, ?> consumer,
            MessageListenerContainer container,
            Runnable invokeListener) {
        if (handler.seeksAfterHandling()) {
            handler.handleBatch(thrown, polled, consumer, container, invokeListener);
            return;
        }
        List<ConsumerRecord<?, ?>> rest = list(handler.<Object, Object>handleBatchAndReturnRemaining(
                thrown, polled, consumer, container, invokeListener));
        if (!rest.isEmpty()) {
            List<ConsumerRecord<?, ?>> done = list(polled);
            done.removeIf(record -> indexOf(record, rest) >= 0);
            seek(consumer, rest);
            commit(consumer, container, done);
            throw comesAgain(rest, thrown);
        }
    }

    private static List<ConsumerRecord<?, ?>> list(ConsumerRecords<?, ?> records) {
        List<ConsumerRecord<?, ?>> list = new ArrayList<>(records.count());
        records.forEach(list::add);
        return list;
    }

    private static @Nullable BatchListenerFailedException failure(Throwable thrown) {
        for (Throwable next = thrown; next != null; next = next.getCause()) {
            if (next instanceof BatchListenerFailedException failure) {
                return failure;
            }
        }
        return null;
    }

    /** Returns the failure as a record listener's would come. */
    private static Exception alone(Exception thrown, BatchListenerFailedException failure) {
        String group = thrown instanceof ListenerExecutionFailedException wrapping ? wrapping.getGroupId() : null;
        return new ListenerExecutionFailedException(String.valueOf(failure.getMessage()), group, failure.getCause());
    }

    private static int indexOf(@Nullable ConsumerRecord<?, ?> wanted, List<ConsumerRecord<?, ?>> records) {
        for (int i = 0; wanted != null && i < records.size(); i++) {
            ConsumerRecord<?, ?> record = records.get(i);
            if (record.offset() == wanted.offset()
                    && record.partition() == wanted.partition()
                    && record.topic().equals(wanted.topic())) {
                return i;
            }
        }
        return -1;
    }

    private static void seek(Consumer<?, ?> consumer, List<ConsumerRecord<?, ?>> records) {
        Map<TopicPartition, Long> first = new LinkedHashMap<>();
        records.forEach(record -> first.putIfAbsent(WaitingException.partition(record), record.offset()));
        first.forEach(consumer::seek);
    }

    private static void commit(
            Consumer<?, ?> consumer, MessageListenerContainer container, List<ConsumerRecord<?, ?>> records) {
        Map<TopicPartition, OffsetAndMetadata> behind = new HashMap<>();
        records.forEach(record -> behind.put(
                WaitingException.partition(record),
                ListenerUtils.createOffsetAndMetadata(container, record.offset() + 1)));
        if (behind.isEmpty()) {
            return;
        }
        ContainerProperties properties = container.getContainerProperties();
        if (properties.isSyncCommits()) {
            consumer.commitSync(behind, properties.getSyncCommitTimeout());
        } else {
            consumer.commitAsync(behind, properties.getCommitCallback());
        }
    }

    private static KafkaException comesAgain(List<ConsumerRecord<?, ?>> records, Exception thrown) {
        return comesAgain(records, thrown, KafkaException.Level.DEBUG);
    }

    private static KafkaException comesAgain(
            List<ConsumerRecord<?, ?>> records, Exception thrown, KafkaException.Level level) {
        return new KafkaException("The records from " + at(records.get(0)) + " on come again", level, thrown);
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return WaitingException.partition(record) + "@" + record.offset();
    }
}
