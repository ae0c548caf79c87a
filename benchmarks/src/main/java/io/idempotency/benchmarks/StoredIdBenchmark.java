package io.idempotency.benchmarks;

import io.idempotency.store.StoredId;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** Measures the conversion of a message id to 128 bits. */
@State(Scope.Thread)
public class StoredIdBenchmark {

    private static final int IDS = 1_000;

    private final List<String> uuids =
            Stream.generate(() -> UUID.randomUUID().toString()).limit(IDS).toList();
    private final List<String> texts =
            uuids.stream().map(uuid -> uuid.replace('-', '_')).toList();

    /** Parses canonical UUIDs. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public void parses(Blackhole hole) {
        uuids.forEach(uuid -> hole.consume(StoredId.of(uuid)));
    }

    /** Parses them by the JDK, for comparison. The JDK accepts more than the canonical form, so the result is printed and compared. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public void parsesByTheJdk(Blackhole hole) {
        uuids.forEach(uuid -> {
            UUID id = UUID.fromString(uuid);
            hole.consume(id.toString().equals(uuid));
            hole.consume(id);
        });
    }

    /** Hashes texts that are as long as a UUID. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public void hashes(Blackhole hole) {
        texts.forEach(text -> hole.consume(StoredId.of(text)));
    }
}
