package io.idempotency;

import io.idempotency.cache.CaffeineCache;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Measures the flow around a handler that does almost nothing: records at level {@code NONE}, and cached duplicates. It uses no store.
 */
@State(Scope.Thread)
public class IdempotentConsumerBenchmark {

    private static final int POLL = 500;
    private static final int RECORDS_OF_A_PARTITION = 100;

    private final List<ConsumerRecord<byte[], byte[]>> poll = IntStream.range(0, POLL)
            .mapToObj(IdempotentConsumerBenchmark::record)
            .toList();
    private final LongAdder processed = new LongAdder();
    private final LongAdder duplicates = new LongAdder();
    /** Not private, so that the compiler takes it as read. */
    long handled;

    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> handling =
            withoutMemory().build();
    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> handlingAndTelling =
            withoutMemory().listener(this::count).build();
    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> skipping = knowingAll(withCache());
    private final IdempotentConsumer<ConsumerRecord<byte[], byte[]>> skippingAndTelling =
            knowingAll(withCache().listener(this::count));

    private static ConsumerRecord<byte[], byte[]> record(int number) {
        ConsumerRecord<byte[], byte[]> record =
                new ConsumerRecord<>("orders", number / RECORDS_OF_A_PARTITION, number, new byte[8], new byte[200]);
        record.headers().add(MessageIds.HEADER, UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private static IdempotentConsumerBuilder<ConsumerRecord<byte[], byte[]>> withoutMemory() {
        return KafkaRecords.<byte[], byte[]>consumer("billing").level(ConsistencyLevel.NONE);
    }

    private static IdempotentConsumerBuilder<ConsumerRecord<byte[], byte[]>> withCache() {
        return KafkaRecords.<byte[], byte[]>consumer("billing")
                .store(MemoryStore.create())
                .cache(CaffeineCache.create());
    }

    private IdempotentConsumer<ConsumerRecord<byte[], byte[]>> knowingAll(
            IdempotentConsumerBuilder<ConsumerRecord<byte[], byte[]>> builder) {
        IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = builder.build();
        consumer.consumeAll(poll, this::handle);
        return consumer;
    }

    private void handle(ConsumerRecord<byte[], byte[]> record, Claim claim) {
        handled += record.offset();
    }

    private void count(Consumption consumption) {
        (consumption.outcome() == Outcome.DUPLICATE ? duplicates : processed).increment();
    }

    /** Handles a poll without remembering it. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public BatchResult handlesPoll() {
        return handling.consumeAll(poll, this::handle);
    }

    /** The same, with a listener that counts outcomes. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public BatchResult handlesPollAndTells() {
        return handlingAndTelling.consumeAll(poll, this::handle);
    }

    /** Handles records one by one. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public void handlesOneByOne(Blackhole hole) {
        poll.forEach(record -> hole.consume(handling.consumeAll(List.of(record), this::handle)));
    }

    /** Skips a poll of duplicates. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public BatchResult skipsPoll() {
        return skipping.consumeAll(poll, this::handle);
    }

    /** The same, with a listener that counts outcomes. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public BatchResult skipsPollAndTells() {
        return skippingAndTelling.consumeAll(poll, this::handle);
    }

    /** Skips duplicates one by one. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public void skipsOneByOne(Blackhole hole) {
        poll.forEach(record -> hole.consume(skipping.consumeAll(List.of(record), this::handle)));
    }
}
