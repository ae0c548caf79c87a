package io.idempotency.jdbc;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Measures adding and finding an id in a table that grows to a million. */
@State(Scope.Thread)
public class IdTableBenchmark {

    private static final int IDS = 1_000_000;

    private final SplittableRandom random = new SplittableRandom(1);
    private final long[] present = random.longs(2 * IDS).toArray();
    private final long[] absent = random.longs(2 * IDS).toArray();
    private final long[] crafted = crafted();
    private final long[] shuffled = shuffled();
    private final IdTable table = filled(present);

    /** Returns UUIDs of version 4 that a common hash function, high times the golden ratio by exclusive or with low, puts into one slot. */
    private long[] crafted() {
        long[] ids = new long[2 * IDS];
        for (int i = 0; i < IDS; ) {
            ids[2 * i] = (random.nextLong() & ~0xF000L) | 0x4000L;
            ids[2 * i + 1] = ids[2 * i] * 0x9E3779B97F4A7C15L ^ 0x1234_5678_9ABC_DEF0L;
            if (ids[2 * i + 1] >>> 62 == 2) {
                i++;
            }
        }
        return ids;
    }

    /** Returns the ids in an order different from the table's, because the processor would read ahead in that order. */
    private long[] shuffled() {
        long[] ids = present.clone();
        for (int i = IDS - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            swap(ids, 2 * i, 2 * other);
            swap(ids, 2 * i + 1, 2 * other + 1);
        }
        return ids;
    }

    private static void swap(long[] ids, int one, int other) {
        long kept = ids[one];
        ids[one] = ids[other];
        ids[other] = kept;
    }

    private static IdTable filled(long[] with) {
        IdTable ids = new IdTable();
        for (int i = 0; i < IDS; i++) {
            ids.add(with[2 * i], with[2 * i + 1]);
        }
        ids.index();
        return ids;
    }

    /** Adds a million ids to an empty table, as when a window is read. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public Object adds() {
        return filled(present);
    }

    /** Adds a million ids of a sender who wants them to collide. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public Object addsCrafted() {
        return filled(crafted);
    }

    /** Adds them to a map of the JDK, for comparison. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public Object addsToAMap() {
        Map<UUID, Integer> ids = new HashMap<>();
        for (int i = 0; i < IDS; i++) {
            ids.put(new UUID(present[2 * i], present[2 * i + 1]), i);
        }
        return ids;
    }

    /** Finds each of a million ids. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public long finds() {
        return found(shuffled);
    }

    /** Looks for absent ids. */
    @Benchmark
    @OperationsPerInvocation(IDS)
    public long misses() {
        return found(absent);
    }

    private long found(long[] ids) {
        long sum = 0;
        for (int i = 0; i < IDS; i++) {
            sum += table.find(ids[2 * i], ids[2 * i + 1]);
        }
        return sum;
    }
}
