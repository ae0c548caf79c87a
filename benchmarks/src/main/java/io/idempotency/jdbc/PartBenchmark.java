package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Measures a claim of one partition in memory, with a window of a million ids in four generations. Each poll has other ids. */
@State(Scope.Thread)
public class PartBenchmark {

    private static final int KNOWN = 1_000_000;
    private static final int POLL = 500;
    private static final long HOUR_MICROS = 3_600_000_000L;
    private static final long MICROS_OF_A_POLL = HOUR_MICROS / (KNOWN / POLL);

    private final SplittableRandom random = new SplittableRandom(1);
    private final JournalWindow window = new JournalWindow(
            new JournalPlace("billing", "orders", 0),
            new JournalHead(new JournalKey(1, 0), 0, 0, 0, 0, -1, 1, 0),
            HOUR_MICROS,
            IdTable.CAPACITY,
            new AtomicLong());
    private final JournalWindow archived = new JournalWindow(
            new JournalPlace("billing", "orders", 1),
            new JournalHead(new JournalKey(1, 1), 0, 0, 0, 0, -1, 1, 0),
            HOUR_MICROS,
            IdTable.CAPACITY,
            new AtomicLong());
    private List<Delivery> deliveries = List.of();

    /** Fills the window before the first poll, and makes room in it before every other poll. */
    @Setup(Level.Invocation)
    public void poll() {
        while (window.size() < KNOWN) {
            deliveries = newPoll();
            claimsNewPoll();
        }
        while (window.size() > KNOWN * 5 / 4) {
            window.forgetOldest();
        }
        deliveries = newPoll();
    }

    private List<Delivery> newPoll() {
        long first = window.tip().version() * POLL;
        return IntStream.range(0, POLL)
                .mapToObj(
                        i -> new Delivery(new MessageId("billing", randomUuid()), new Position("orders", 0, first + i)))
                .toList();
    }

    private String randomUuid() {
        return new UUID((random.nextLong() & ~0xF000L) | 0x4000L, random.nextLong()).toString();
    }

    /** Decides on a poll of new messages of one partition, and returns the content to append. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public @Nullable Object decidesOnNewPoll() {
        return decided();
    }

    private @Nullable Content decided() {
        return decided(window);
    }

    /** Fills eight archives with two million messages each. */
    @Setup(Level.Trial)
    public void archive() {
        ArchiveHash hash = new ArchiveHash(1);
        for (int i = 1; i <= 8; i++) {
            long[][] hashes = new long[5][];
            for (int j = 0; j < hashes.length; j++) {
                long part = Long.MIN_VALUE + j * (Long.MAX_VALUE / hashes.length * 2);
                hashes[j] = random.longs(ArchiveFilter.MOST_MESSAGES)
                        .map(number -> part + (number >>> 1) / hashes.length * 2)
                        .sorted()
                        .toArray();
            }
            ArchiveFilter[] filters = Arrays.stream(hashes)
                    .map(each -> new ArchiveFilter(
                            IntStream.range(0, each.length / 400)
                                    .mapToLong(page -> each[page * 400])
                                    .toArray(),
                            new byte[each.length / 400 / Byte.SIZE + 1],
                            BinaryFuseFilter.of(each)))
                    .toArray(ArchiveFilter[]::new);
            ArchiveHead head = new ArchiveHead(
                    archived.key(),
                    i,
                    ArchiveHead.State.ACTIVE,
                    1,
                    new ArchiveHead.Span(i, i, i, i, i, i, i),
                    (long) ArchiveFilter.MOST_MESSAGES * hashes.length,
                    0);
            archived.add(new ArchiveFilters(head, hash, filters));
        }
    }

    /** Asks the filters of these about a poll of new messages. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public @Nullable Object asksArchives() {
        return decided(archived);
    }

    private @Nullable Content decided(JournalWindow window) {
        PartitionClaim part = new PartitionClaim(window, new UnjudgedRecords(Unjudged.PROCESS), deliveries.size());
        for (int i = 0; i < POLL; i++) {
            part.add(i, deliveries.get(i));
        }
        part.decide(window.find(part.ids()), null);
        return part.content();
    }

    /** Decides on it, and adds the appended segment to the window. */
    @Benchmark
    @OperationsPerInvocation(POLL)
    public @Nullable Object claimsNewPoll() {
        Content content = decided();
        if (content != null) {
            JournalTip behind = window.tip();
            JournalTip tip = new JournalTip(behind.version() + 1, 1);
            window.add(behind, List.of(content.at(tip, tip.version() * MICROS_OF_A_POLL)));
        }
        return content;
    }
}
