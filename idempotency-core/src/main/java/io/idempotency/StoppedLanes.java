package io.idempotency;

import io.idempotency.store.Delivery;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Remembers since when partitions are stopped at a message, or a message of a share group waits, and logs the end of a long stop. Thread-safe. */
final class StoppedLanes {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);
    /** An operator who read of the stop may still be looking. */
    private static final Duration LONG = Duration.ofSeconds(10);

    private record Stopped(Delivery at, long sinceNanos) {}

    private final Map<Lane, Stopped> stopped = new ConcurrentHashMap<>();
    private final LongSupplier nanoTime;

    StoppedLanes(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Notes the outcome of a delivery. Returns whether it stops its lane, unless it had stopped it before. */
    boolean note(Lane lane, Delivery delivery, Outcome outcome) {
        boolean isStop = outcome == Outcome.RELEASED || outcome == Outcome.IN_PROGRESS;
        if (!isStop && stopped.isEmpty()) {
            return false;
        }
        if (!lane.isOrdered()) {
            return isStop;
        }
        if (isStop) {
            Stopped known = stopped.get(lane);
            boolean isNew = known == null || !known.at().equals(delivery);
            if (isNew) {
                stopped.put(lane, new Stopped(delivery, nanoTime.getAsLong()));
            }
            return isNew;
        }
        Stopped before = stopped.remove(lane);
        if (before != null) {
            tell(lane, before);
        }
        return false;
    }

    private void tell(Lane lane, Stopped before) {
        Duration since = Duration.ofNanos(nanoTime.getAsLong() - before.sinceNanos());
        if (since.compareTo(LONG) < 0) {
            return;
        }
        if (lane.isAlone()) {
            log.info("{} is settled: it had waited for {} s.", before.at(), since.toSeconds());
        } else {
            log.info("Partition {} goes on: {} had stopped it for {} s.", lane, before.at(), since.toSeconds());
        }
    }

    /** Returns whether no partition is stopped. */
    boolean isEmpty() {
        return stopped.isEmpty();
    }

    void forget(Lane lane) {
        stopped.remove(lane);
    }
}
