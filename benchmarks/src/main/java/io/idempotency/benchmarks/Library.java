package io.idempotency.benchmarks;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.TransactionPer;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.JournalStoreBuilder;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.ClaimStore;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/** This library in a poll loop of its own, with its default settings. Each round has a new store, so that nothing remains in memory. */
final class Library implements Step {

    /** The consumer name of the ids. */
    static final String CONSUMER = "benchmark";

    /** The default prefix of its table names. */
    static final String TABLES = "idempotency_";

    /** The argument of the handler, and the scope of a transaction. */
    enum Handler {
        /** All new messages of a poll at once. */
        BATCH,
        /** One message at a time; the messages of a poll share a transaction. */
        POLL,
        /** One message at a time, with a transaction of its own. */
        RECORD
    }

    private final ClaimStore store;
    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer;
    private final RecordProcessor<byte[], byte[]> processor;

    private Library(ClaimStore store, Handler handler, Effects effects, Round round) {
        this.store = store;
        this.consumer = consumer(store, handler, round);
        this.processor = handler == Handler.BATCH
                ? RecordProcessor.batches(consumer, (messages, claims) -> effects.all(messages))
                : RecordProcessor.of(consumer, (message, claim) -> effects.one(message));
    }

    static Library table(DataSource dataSource, Handler handler, Effects effects, Round round) {
        TableStore store = TableStore.builder(dataSource)
                .tablePrefix(round.library().tables())
                .build();
        return new Library(store, handler, effects, round);
    }

    static Library journal(DataSource dataSource, Handler handler, Effects effects, Round round) {
        return new Library(journal(dataSource, round), handler, effects, round);
    }

    static JournalStore journal(DataSource dataSource, Round round) {
        JournalStoreBuilder builder =
                JournalStore.builder(dataSource).tablePrefix(round.library().tables());
        int archiveAfter = round.library().archiveAfter();
        return (archiveAfter > 0 ? builder.archiveAfter(archiveAfter) : builder).build();
    }

    private static IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer(
            ClaimStore store, Handler handler, Round round) {
        IdempotentConsumerBuilder<ConsumerRecord<byte[], byte[]>> builder = KafkaRecords.<byte[], byte[]>consumer(
                        CONSUMER)
                .store(store)
                .transactionPer(handler == Handler.RECORD ? TransactionPer.RECORD : TransactionPer.POLL)
                .chunk(round.poll(), IdempotentConsumerBuilder.DEFAULT_CHUNK_TIME)
                .failures(FailurePolicy.quarantineAfter(1));
        return (round.library().isCaching() ? builder.cache(CaffeineCache.create()) : builder).build();
    }

    @Override
    public void process(Consumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled) {
        processor.process(kafka, polled);
    }

    /** {@inheritDoc} It purges like {@link Purger} by default, which also builds archives. */
    @Override
    public int purge() {
        return Purger.of(store).build().runOnce();
    }

    @Override
    public long memoryBytes() {
        return store instanceof JournalStore journal ? journal.memoryBytes() : 0;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
