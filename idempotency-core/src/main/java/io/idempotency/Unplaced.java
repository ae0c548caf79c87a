package io.idempotency;

import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the failures of messages without a position, which are redelivered in any order. Its space is bounded: when it is full, it goes on
 * counting the messages that it has, until their last attempt makes room for others. A message that has not failed for a while makes room at
 * once. Thread-safe.
 */
final class Unplaced {

    static final int MOST = 10_000;
    static final Duration PATIENCE = Duration.ofHours(1);

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private record Counted(int attempts, long atNanos) {}

    /** The one that failed last at the end. */
    private final Map<MessageId, Counted> failing = new LinkedHashMap<>();

    private final LongSupplier nanoTime;
    private volatile boolean isEmpty = true;
    private boolean isToldOf;

    Unplaced(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    boolean isEmpty() {
        return isEmpty;
    }

    synchronized int attempts(MessageId id) {
        Counted counted = failing.get(id);
        return counted == null ? 0 : counted.attempts();
    }

    /** Counts a failure. Returns how many there have been, at least as many as given; one that finds no room stays at its first. */
    synchronized int countFailure(MessageId id, int atLeast) {
        Counted before = failing.remove(id);
        int attempts = Math.max(before == null ? 1 : before.attempts() + 1, atLeast);
        if (hasRoom()) {
            failing.put(id, new Counted(attempts, nanoTime.getAsLong()));
            isEmpty = false;
        }
        return attempts;
    }

    private boolean hasRoom() {
        if (failing.size() < MOST) {
            isToldOf = false;
            return true;
        }
        Iterator<Counted> oldest = failing.values().iterator();
        if (nanoTime.getAsLong() - oldest.next().atNanos() > PATIENCE.toNanos()) {
            oldest.remove();
            return true;
        }
        if (!isToldOf) {
            log.warn(
                    "{} messages without a position are failing; further ones are counted when some of these are settled.",
                    MOST);
            isToldOf = true;
        }
        return false;
    }

    void settled(Lane lane, MessageId id) {
        if (!isEmpty && !lane.isOrdered()) {
            forget(id);
        }
    }

    private synchronized void forget(MessageId id) {
        failing.remove(id);
        isEmpty = failing.isEmpty();
    }
}
