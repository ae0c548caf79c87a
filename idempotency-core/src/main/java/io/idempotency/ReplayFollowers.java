package io.idempotency;

import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.QuarantineStore.Follower;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Handles messages that were quarantined behind an earlier one of their key, once that one was replayed or deleted. They belong to no replay: nobody
 * asks for them. A message that fails keeps back the next ones of its key until it is replayed or deleted itself. Confined to the thread of the replayer.
 */
final class ReplayFollowers {

    /** Stands for the id of a replay where such messages are handled. */
    static final String REPLAY = "idempotency.key-order";

    private static final int MOST_AT_A_TIME = 100;

    private final ReplayParts<?> parts;
    private final ReplayHandler handler;
    private final BooleanSupplier isClosing;

    ReplayFollowers(ReplayParts<?> parts, ReplayHandler handler, BooleanSupplier isClosing) {
        this.parts = parts;
        this.handler = handler;
        this.isClosing = isClosing;
    }

    /** Handles the first free message of each key. Returns how long to wait before the next round; zero if there may be more. */
    Duration round(Set<Partition> atWork) {
        Duration wait = ReplayRounds.LOOK;
        List<Follower> free =
                parts.guard().books().quarantine().freeFollowers(parts.live().name(), MOST_AT_A_TIME);
        Set<Partition> ofOthers = new HashSet<>();
        for (Follower follower : free) {
            Partition partition = new Partition(
                    follower.position().stream(), follower.position().partition());
            if (isClosing.getAsBoolean() || ofOthers.contains(partition)) {
                continue;
            }
            if (parts.turns().take(partition)) {
                atWork.add(partition);
                Duration next = handle(follower, partition);
                wait = next.compareTo(wait) < 0 ? next : wait;
            } else {
                ofOthers.add(partition);
            }
        }
        return wait;
    }

    private Duration handle(Follower follower, Partition partition) {
        Duration wait = parts.waits().of(partition);
        if (!wait.isZero()) {
            return wait;
        }
        Item item = new Item(follower.id(), follower.generation(), follower.position());
        // One that failed before waits here only if its replay accepted that its effect may have happened.
        ReplayEnding ending = parts.guard().replay(REPLAY, item, handler, true);
        if (ending.isLater()) {
            return parts.waits().again(partition, item, ending.failure());
        }
        parts.waits().goesOn(partition);
        return Duration.ZERO;
    }
}
