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
 * How often messages without a position failed, which come again in any order. Takes bounded room: when it is full, the messages that are
 * counted go on being counted, so that they get to their end and make room for others; one that has not failed for a while makes room at once.
 * Thread-safe.
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
                    "{} messages without a position fail in turn; further ones are counted when some of them are settled.",
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
