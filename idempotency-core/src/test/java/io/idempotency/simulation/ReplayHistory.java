package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What replays did, compared with what is promised of counts, of the order of keys, and of dropped messages. */
final class ReplayHistory {

    private final Simulation simulation;
    private final Map<String, Map<ReplayResult, Integer>> counted = new HashMap<>();
    /** Of each key of a partition, the offset of the last message that had its effect. */
    private final Map<String, Long> lastEffects = new HashMap<>();

    private final Set<MessageId> dropped = new HashSet<>();

    ReplayHistory(Simulation simulation) {
        this.simulation = simulation;
    }

    boolean isDropped(MessageId id) {
        return dropped.contains(id);
    }

    /** Notes an effect of a message that was not forgotten. Under a lease it may be that of a late owner. */
    void effect(MessageId id) {
        if (dropped.contains(id) && simulation.level() == ConsistencyLevel.STRONG) {
            throw simulation.baton().violated("an effect of " + id.value() + ", which was dropped");
        }
    }

    /** Notes what a committed transaction has dropped and counted. */
    void commits(RunningTransaction running) {
        for (MessageId id : SimulatedStore.ids(running.dropped)) {
            dropped.add(id);
            simulation.history().leases().quarantined(id);
        }
        for (RunningTransaction.Counted result : running.counted) {
            counted.computeIfAbsent(result.replay(), any -> new EnumMap<>(ReplayResult.class))
                    .merge(result.result(), 1, Integer::sum);
            simulation.visit(
                    switch (result.result()) {
                        case PROCESSED -> Branch.REPLAYED;
                        case DUPLICATE -> Branch.REPLAYED_DUPLICATE;
                        case FAILED -> Branch.REPLAY_FAILED;
                        case UNREADABLE -> Branch.REPLAY_UNREADABLE;
                    });
        }
    }

    /** Checks that the effects of a key come in the order of its messages, through quarantine and replay. */
    void inOrder(Delivery delivery) {
        String key = delivery.position().partition() + " "
                + Producer.keyOf(delivery.id().value());
        long offset = delivery.position().offset();
        long last = lastEffects.merge(key, offset, Math::max);
        if (offset < last) {
            throw simulation
                    .baton()
                    .violated("the effect of " + delivery + " comes after that of a later message of its key, at "
                            + last);
        }
    }

    void checkEnd() {
        for (Replay replay : simulation.store().replays().all()) {
            Progress progress = replay.progress();
            String id = replay.request().id();
            Map<ReplayResult, Integer> seen = counted.getOrDefault(id, Map.of());
            if (progress.processed() != seen.getOrDefault(ReplayResult.PROCESSED, 0)
                    || progress.failed() != seen.getOrDefault(ReplayResult.FAILED, 0)) {
                throw new Violation("replay " + id + " counts " + progress + ", and not " + seen);
            }
            long sum = progress.processed() + progress.duplicates() + progress.failed() + progress.unreadable();
            if (sum > progress.total()) {
                throw new Violation("replay " + id + " has more results than messages: " + progress);
            }
            if (replay.status() == Replay.Status.STOPPED) {
                simulation.visit(Branch.REPLAY_STOPPED);
            }
        }
    }
}
