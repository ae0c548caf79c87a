package io.idempotency.kafka;

import io.idempotency.store.MessageId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** Measures finding and checking the id of a record. */
@State(Scope.Thread)
public class MessageIdsBenchmark {

    private static final int RECORDS = 500;

    private final MessageIds<Object> ids = MessageIds.defaults();
    private final List<ConsumerRecord<byte[], byte[]>> withOneHeader = records();
    private final List<ConsumerRecord<byte[], byte[]>> withFiveHeaders =
            records("traceparent", "content-type", "event-type", "tenant");
    private final List<String> texts = withOneHeader.stream()
            .map(ids::messageId)
            .map(id -> id.orElseThrow())
            .toList();

    private static List<ConsumerRecord<byte[], byte[]>> records(String... otherHeaders) {
        return IntStream.range(0, RECORDS)
                .mapToObj(offset -> record(offset, otherHeaders))
                .toList();
    }

    private static ConsumerRecord<byte[], byte[]> record(int offset, String... otherHeaders) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>("orders", 0, offset, new byte[8], new byte[200]);
        for (String name : otherHeaders) {
            record.headers().add(name, name.getBytes(StandardCharsets.UTF_8));
        }
        record.headers().add(MessageIds.HEADER, UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8));
        return record;
    }

    /** Finds the id in the only header. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public void findsInOnlyHeader(Blackhole hole) {
        withOneHeader.forEach(record -> hole.consume(ids.messageId(record)));
    }

    /** Finds the id in the last of five headers. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public void findsInLastOfFiveHeaders(Blackhole hole) {
        withFiveHeaders.forEach(record -> hole.consume(ids.messageId(record)));
    }

    /** Checks the text of an id and the name of its consumer. */
    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public void checks(Blackhole hole) {
        texts.forEach(text -> hole.consume(new MessageId("billing", text)));
    }
}
