package io.idempotency.kafka;

import io.idempotency.BatchHandler;
import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.Replayer;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** An idempotent consumer with the handler bound to it, as a processor uses it. */
interface BoundConsumer<K, V> {

    /** Returns the name of the consumer. */
    String name();

    /** Returns name and level, for logs. */
    String describe();

    /** Returns how long one call goes on beginning new work. */
    Duration chunkTime();

    /** Returns how many records may share a transaction. */
    default int chunkRecords() {
        return Integer.MAX_VALUE;
    }

    /** Returns whether a transaction on the store's data is active on the calling thread. */
    boolean isTransactionActive();

    /** Returns whether the consumer only watches; see {@link io.idempotency.IdempotentConsumerBuilder#shadow}. */
    default boolean isShadow() {
        return false;
    }

    /** Returns whether one handler call takes many records. */
    default boolean isBatch() {
        return false;
    }

    /** Consumes the records; see {@link IdempotentConsumer#consumeAll}. */
    BatchResult consume(List<ConsumerRecord<K, V>> records);

    /** Charges a record that could not be deserialized; see {@link IdempotentConsumer#reject}. */
    BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause);

    /** Begins to replay quarantined records with the same handler; see {@link Replayer}. */
    default Replayer<?> replay(ReplayStore replays, ReplayRecords<K, V> records) {
        throw new UnsupportedOperationException("Only an idempotent consumer replays");
    }

    /** Refuses replays that cannot be carried out. */
    default void requireReplays(ReplayStore replays) {}

    /** Does what no record asks for, from time to time, on the polling thread. */
    default void tend(Set<TopicPartition> assigned) {}

    /** Notes that a partition was revoked or lost; see {@link IdempotentConsumer#revoked}. */
    default void revoked(TopicPartition partition) {}

    static <K, V> BoundConsumer<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, MessageHandler<? super ConsumerRecord<K, V>> handler) {
        return new OfHandler<>(consumer) {
            @Override
            BatchResult consume(IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records) {
                return by.consumeAll(records, handler);
            }
        };
    }

    static <K, V> BoundConsumer<K, V> batches(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, BatchHandler<ConsumerRecord<K, V>> handler) {
        return new OfHandler<>(consumer) {
            @Override
            BatchResult consume(IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records) {
                return by.consumeBatch(records, handler);
            }

            @Override
            public boolean isBatch() {
                return true;
            }
        };
    }

    /** An idempotent consumer, whichever handler is bound to it. */
    abstract class OfHandler<K, V> implements BoundConsumer<K, V> {

        private final IdempotentConsumer<ConsumerRecord<K, V>> consumer;

        OfHandler(IdempotentConsumer<ConsumerRecord<K, V>> consumer) {
            this.consumer = consumer;
        }

        final IdempotentConsumer<ConsumerRecord<K, V>> consumer() {
            return consumer;
        }

        abstract BatchResult consume(IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records);

        @Override
        public BatchResult consume(List<ConsumerRecord<K, V>> records) {
            return consume(consumer, records);
        }

        @Override
        public void requireReplays(ReplayStore replays) {
            Replayer.of(consumer, replays).close();
        }

        @Override
        public Replayer<?> replay(ReplayStore replays, ReplayRecords<K, V> records) {
            Replayer<ConsumerRecord<K, V>> replayer = Replayer.of(consumer, replays);
            replayer.start((entry, replay) -> {
                BatchResult unused = consume(replayer.consumer(), List.of(records.record(entry, replay)));
            });
            return replayer;
        }

        @Override
        public String name() {
            return consumer.name();
        }

        @Override
        public String describe() {
            return consumer.name() + " (" + consumer.level() + ")";
        }

        @Override
        public Duration chunkTime() {
            return consumer.chunkTime();
        }

        @Override
        public int chunkRecords() {
            return consumer.chunkRecords();
        }

        @Override
        public boolean isShadow() {
            return consumer.isShadow();
        }

        @Override
        public boolean isTransactionActive() {
            return consumer.isTransactionActive();
        }

        @Override
        public BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause) {
            return consumer.reject(position, messageId, payload, cause);
        }

        @Override
        public void revoked(TopicPartition partition) {
            consumer.revoked(partition.topic(), partition.partition());
        }
    }
}
