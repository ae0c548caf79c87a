package io.idempotency.streams;

import io.idempotency.store.IdempotencyException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * The time from the beginning of a task, on one thread of one process, to its end. Its number is in the store, beside the ids. It knows which records of earlier lives Kafka
 * Streams does not process again: those in front of the offsets that were committed when it began.
 *
 * @param number greater than those of the lives whose entries the store has
 * @param committed the offsets behind the last committed records
 */
record TaskLife(int number, Map<TopicPartition, Long> committed) {

    /** Ids have 16 bytes, and topics 5. */
    private static final Bytes KEY = Bytes.wrap(new byte[] {'L'});

    /**
     * Begins a life, with one request to the broker if the committed offsets count.
     *
     * @param needsOffsets whether there are entries of earlier lives whose outputs may be lost
     * @throws IdempotencyException if the broker does not tell them
     */
    static TaskLife begin(KeyValueStore<Bytes, byte[]> store, ProcessingContext context, boolean needsOffsets) {
        byte[] last = store.get(KEY);
        int number = last == null ? 1 : ByteBuffer.wrap(last).getInt() + 1;
        Map<TopicPartition, Long> committed = needsOffsets ? committed(store.name(), context) : Map.of();
        store.put(KEY, ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
        return new TaskLife(number, committed);
    }

    static boolean isLife(Bytes key) {
        return key.equals(KEY);
    }

    /** Returns whether a record is not processed again, and its output is not lost. */
    boolean isCommitted(TopicPartition partition, long offset) {
        return offset < committed.getOrDefault(partition, 0L);
    }

    private static Map<TopicPartition, Long> committed(String name, ProcessingContext context) {
        String application = context.applicationId();
        Map<String, Object> settings =
                new Settings(context.appConfigs()).getAdminConfigs(application + "-" + name + "-" + context.taskId());
        try (Admin admin = Admin.create(settings)) {
            Map<TopicPartition, Long> committed = new HashMap<>();
            admin.listConsumerGroupOffsets(application)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .forEach((partition, offset) -> note(committed, partition, offset));
            return committed;
        } catch (ExecutionException | KafkaException e) {
            throw new IdempotencyException(
                    "The committed offsets of " + application + " could not be read, so the deduplication " + name
                            + " does not know which outputs a crash may have lost. May the application describe its group?",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IdempotencyException(
                    "Interrupted while the committed offsets of " + application + " were read", e);
        }
    }

    private static void note(
            Map<TopicPartition, Long> committed, TopicPartition partition, @Nullable OffsetAndMetadata offset) {
        if (offset != null) {
            committed.put(partition, offset.offset());
        }
    }

    /** Does not log all settings once more. */
    private static final class Settings extends StreamsConfig {

        private Settings(Map<String, Object> all) {
            super(all, false);
        }
    }
}
