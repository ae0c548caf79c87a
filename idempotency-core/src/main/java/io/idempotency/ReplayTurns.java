package io.idempotency;

import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Partition;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * Takes this node's turns at the partitions of a consumer, keeps them while there is work, and gives them back. A handler that takes longer than a turn
 * may meet another node at its message; the guard keeps them apart. Confined to the thread of the replayer.
 */
final class ReplayTurns {

    private final String consumer;
    private final ReplayStore replays;
    private final LongSupplier nanoTime;
    private final Duration length;
    private final String node = UUID.randomUUID().toString();
    private final Map<Partition, Long> takenAt = new HashMap<>();

    ReplayTurns(String consumer, ReplayStore replays, LongSupplier nanoTime, Duration length) {
        this.consumer = consumer;
        this.replays = replays;
        this.nanoTime = nanoTime;
        this.length = length;
    }

    /** Takes or renews the turn at a partition. Asks the store once in a third of its length. */
    boolean take(Partition partition) {
        long now = nanoTime.getAsLong();
        Long before = takenAt.get(partition);
        if (before != null && now - before < length.toNanos() / 3) {
            return true;
        }
        boolean isMine = replays.takeTurn(consumer, partition, node, length);
        if (isMine) {
            takenAt.put(partition, now);
        } else {
            takenAt.remove(partition);
        }
        return isMine;
    }

    /** Gives back the turns at partitions that have no work left. */
    void retain(Set<Partition> atWork) {
        for (Partition partition : Set.copyOf(takenAt.keySet())) {
            if (!atWork.contains(partition)) {
                takenAt.remove(partition);
                replays.endTurn(consumer, partition, node);
            }
        }
    }
}
