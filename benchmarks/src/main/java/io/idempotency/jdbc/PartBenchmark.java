package io.idempotency.jdbc;

import io.idempotency.jdbc.Segment.Kind;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the decision about a poll takes, by a window of a million ids and up to what is to be appended. */
@State(Scope.Thread)
public class PartBenchmark {

    private static final int KNOWN = 1_000_000;
    private static final int POLL = 500;
    private static final long HOUR_MICROS = 3_600_000_000L;

    private final Window window = window();
    private final List<Delivery> deliveries = IntStream.range(0, POLL)
            .mapToObj(i -> new Delivery(
                    new MessageId("billing", UUID.randomUUID().toString()), new Position("orders", 0, KNOWN + i)))
            .toList();

    private static Window window() {
        SplittableRandom random = new SplittableRandom(1);
        Window window = new Window(
                new Place("billing", "orders", 0), new Head(new JournalKey(1, 0), 0, 0, 0, 0, -1, 1), HOUR_MICROS);
        for (int version = 1; version <= KNOWN / POLL; version++) {
            long first = (version - 1L) * POLL;
            window.add(new Segment(
                    new Tip(version, version),
                    Kind.PROCESSED,
                    1,
                    random.longs(2 * POLL).toArray(),
                    LongStream.range(first, first + POLL).toArray()));
        }
        return window;
    }

    /** Decides on a poll of one partition in which all is new. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public @Nullable Object decidesOnNewPoll() {
        Part part = new Part(window, JournalStore.Unjudged.REFUSE, deliveries.size());
        for (int i = 0; i < POLL; i++) {
            part.add(i, deliveries.get(i));
        }
        part.decide(null);
        return part.content();
    }
}
