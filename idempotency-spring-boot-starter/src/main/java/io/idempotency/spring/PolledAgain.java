package io.idempotency.spring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.ListenerUtils;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.SeekUtils;

/**
 * Lets an error handler decide on a failure, and has all open records polled again. A handler may keep records in memory instead, by
 * {@code seekAfterError=false} or because it does not seek at all. The listener would then get the same objects again, with its own changes.
 */
record PolledAgain(CommonErrorHandler handler, Consumer<?, ?> consumer, MessageListenerContainer container) {

    private static final Logger log = LoggerFactory.getLogger(PolledAgain.class);

    private static final LogAccessor seeks = new LogAccessor(LogFactory.getLog(PolledAgain.class));

    /** Lets the handler decide on the first of the records. Returns normally if that one is done; the others are polled again. */
    void afterRecord(Exception thrown, List<ConsumerRecord<?, ?>> records) {
        // A DefaultErrorHandler seeks here, whatever it says.
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
     * Lets the handler decide on the failed record of a poll as if it had come alone, so that it sees the exception of the listener. Returns normally
     * if the whole poll is done.
     */
    void afterPoll(Exception thrown, ConsumerRecords<?, ?> polled) {
        LeftRecordsException failure = LeftRecordsException.in(thrown);
        if (failure == null) {
            List<ConsumerRecord<?, ?>> all = list(polled);
            seek(consumer, all);
            throw comesAgain(all, thrown, KafkaException.Level.ERROR);
        }
        List<ConsumerRecord<?, ?>> open = failure.open();
        commitSettled(polled, open);
        afterRecord(alone(thrown, failure), open);
        commit(consumer, container, open.subList(0, 1));
        if (open.size() > 1) {
            throw comesAgain(open.subList(1, open.size()), thrown);
        }
    }

    /**
     * Lets a handler of the application decide on a failed batch. If its failed record is known, it is given as a batch of one: a handler that returns, such
     * as one that only logs, has done with all that it was given. Returns normally if the whole poll is done.
     */
    void afterBatch(Exception thrown, ConsumerRecords<?, ?> polled, Runnable invokeListener) {
        LeftRecordsException failure = LeftRecordsException.in(thrown);
        if (failure == null) {
            batch(thrown, polled, list(polled), invokeListener);
            return;
        }
        List<ConsumerRecord<?, ?>> open = failure.open();
        List<ConsumerRecord<?, ?>> rest = open.subList(1, open.size());
        commitSettled(polled, open);
        batch(thrown, batchOf(open.get(0)), open, invokeListener);
        // Before the commit: if that fails, nothing may be passed over.
        seek(consumer, rest);
        commit(consumer, container, open.subList(0, 1));
        if (!rest.isEmpty()) {
            throw comesAgain(rest, thrown);
        }
    }

    /** Commits the offsets of records that are settled, if it can: a redelivery of them is skipped. */
    private void commitSettled(ConsumerRecords<?, ?> polled, List<ConsumerRecord<?, ?>> open) {
        try {
            commit(consumer, container, settled(polled, open));
        } catch (RuntimeException e) {
            log.warn("Not all offsets of a poll could be committed. Redelivered records will be skipped.", e);
        }
    }

    /** Gives records to the handler. If it has not done with all of them, all open ones are polled again, and an exception leaves. */
    private void batch(
            Exception thrown, ConsumerRecords<?, ?> given, List<ConsumerRecord<?, ?>> open, Runnable invokeListener) {
        List<ConsumerRecord<?, ?>> left;
        try {
            if (handler.seeksAfterHandling()) {
                handler.handleBatch(thrown, given, consumer, container, invokeListener);
                return;
            }
            left = list(handler.<Object, Object>handleBatchAndReturnRemaining(
                    thrown, given, consumer, container, invokeListener));
        } catch (RuntimeException e) {
            seek(consumer, open);
            throw e;
        }
        if (!left.isEmpty()) {
            // Of a batch of one, that one; then everything is open still.
            List<ConsumerRecord<?, ?>> rest = left.size() == given.count() ? open : left;
            seek(consumer, rest);
            commit(consumer, container, settled(given, left));
            throw comesAgain(rest, thrown);
        }
    }

    private static ConsumerRecords<?, ?> batchOf(ConsumerRecord<?, ?> record) {
        return records(WaitingException.partition(record), record);
    }

    private static <K, V> ConsumerRecords<K, V> records(TopicPartition partition, ConsumerRecord<K, V> record) {
        return new ConsumerRecords<>(Map.of(partition, List.of(record)), Map.of());
    }

    private static List<ConsumerRecord<?, ?>> list(ConsumerRecords<?, ?> records) {
        List<ConsumerRecord<?, ?>> list = new ArrayList<>(records.count());
        records.forEach(list::add);
        return list;
    }

    /** Returns the failure in the form that the failure of a record listener has. */
    private static Exception alone(Exception thrown, LeftRecordsException failure) {
        String group = thrown instanceof ListenerExecutionFailedException wrapping ? wrapping.getGroupId() : null;
        return new ListenerExecutionFailedException(String.valueOf(failure.getMessage()), group, failure.getCause());
    }

    /** Returns the first offset of each partition. */
    private static Map<TopicPartition, Long> first(List<ConsumerRecord<?, ?>> records) {
        Map<TopicPartition, Long> first = new LinkedHashMap<>();
        records.forEach(record -> first.putIfAbsent(WaitingException.partition(record), record.offset()));
        return first;
    }

    /** Returns the records of a poll that come before the open ones of their partition. */
    private static List<ConsumerRecord<?, ?>> settled(ConsumerRecords<?, ?> polled, List<ConsumerRecord<?, ?>> open) {
        Map<TopicPartition, Long> from = first(open);
        List<ConsumerRecord<?, ?>> settled = list(polled);
        settled.removeIf(
                record -> record.offset() >= from.getOrDefault(WaitingException.partition(record), Long.MAX_VALUE));
        return settled;
    }

    private static void seek(Consumer<?, ?> consumer, List<ConsumerRecord<?, ?>> records) {
        SeekUtils.seekPartitions(consumer, first(records), seeks);
    }

    static void commit(
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
        return new KafkaException("The records from " + at(records.get(0)) + " on are polled again", level, thrown);
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return WaitingException.partition(record) + "@" + record.offset();
    }
}
