package io.idempotency;

import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Partition;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which partitions of replays wait: after a transient failure with back-off, and while the live partition in this process waits, because both
 * probably have the same cause. A replay waits for a live partition at most a minute at a time. That one may stand still because of the messages that the
 * replay brings. Confined to the thread of the replayer.
 */
final class ReplayWaits {

    static final Duration MOST_YIELDING = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(Replayer.class);
    private static final Duration YIELD = Duration.ofSeconds(1);

    private final Lanes lanes;
    private final Clockwork clockwork;
    private final Map<Partition, Wait> waits = new HashMap<>();
    private final Map<Partition, Long> yieldingSince = new HashMap<>();

    private record Wait(int inARow, long until) {}

    /** @param lanes the partitions of the live consumer */
    ReplayWaits(Lanes lanes, Clockwork clockwork) {
        this.lanes = lanes;
        this.clockwork = clockwork;
    }

    /** Returns how long the partition waits; zero if it does not. */
    Duration of(Partition partition) {
        long now = now();
        Wait wait = waits.get(partition);
        if (wait != null && wait.until() - now > 0) {
            return Duration.ofNanos(wait.until() - now);
        }
        if (!lanes.isWaiting(new Lane(partition.stream(), partition.number()))) {
            yieldingSince.remove(partition);
            return Duration.ZERO;
        }
        Long since = yieldingSince.putIfAbsent(partition, now);
        if (since == null) {
            log.info("The replay of {} waits for the live partition, which waits itself.", named(partition));
        }
        return since == null || now - since < MOST_YIELDING.toNanos() ? YIELD : Duration.ZERO;
    }

    /** Notes that a message has to be tried again. Returns after how long. */
    Duration again(Partition partition, ReplayStore.Item item, @Nullable Throwable failure) {
        Wait before = waits.get(partition);
        int inARow = before == null ? 1 : before.inARow() + 1;
        Duration length = BackOff.afterTransients(inARow, clockwork.random());
        waits.put(partition, new Wait(inARow, now() + length.toNanos()));
        String why = failure == null ? "it is in progress elsewhere" : FailureText.lineWithCause(failure);
        if (inARow % Consumption.MANY_TRANSIENT_FAILURES == 0) {
            log.warn("The replay of {} has waited {} times in a row: {}.", item.id(), inARow, why);
        } else {
            log.info("The replay of {} waits {} ms: {}.", item.id(), length.toMillis(), why);
        }
        return length;
    }

    void goesOn(Partition partition) {
        waits.remove(partition);
    }

    private long now() {
        return clockwork.nanoTime().getAsLong();
    }

    private static String named(Partition partition) {
        return new Lane(partition.stream(), partition.number()).toString();
    }
}
