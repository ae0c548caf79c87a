package io.idempotency;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Knows the keys of each partition that may have messages in quarantine: all that have, and some that had. A key leaves when a query in the
 * transaction of a claim has shown that it is free. Thread-safe.
 *
 * <p>What is known of a partition holds for the message that directly follows the last one settled here: every message before it was settled before
 * the keys were read, or its key was added since.
 */
final class BlockedKeys {

    /** The most keys of a partition. If there are more, every key counts as blocked until a query says otherwise. */
    static final int MOST = 100_000;

    private static final Duration TRUSTED = Duration.ofMinutes(1);

    private final Map<Lane, Keys> lanes = new HashMap<>();
    private final LongSupplier nanoTime;

    BlockedKeys(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    private static final class Keys {
        private final Set<Long> hashes = new HashSet<>();
        private long readAt;
        private long next;
    }

    /** Returns whether the keys are known for the message at this offset. */
    synchronized boolean areKnown(Lane lane, long offset) {
        Keys keys = lanes.get(lane);
        return keys != null && keys.next == offset && nanoTime.getAsLong() - keys.readAt < TRUSTED.toNanos();
    }

    /** Notes the keys that were read when the message at this offset was the first unsettled one. */
    synchronized void read(Lane lane, long offset, Set<Long> hashes) {
        Keys keys = lanes.computeIfAbsent(lane, added -> new Keys());
        // What another thread added meanwhile stays.
        keys.hashes.addAll(hashes);
        keys.readAt = nanoTime.getAsLong();
        keys.next = offset;
    }

    /** Returns whether the key may have messages in quarantine. */
    synchronized boolean hold(Lane lane, long hash) {
        Keys keys = hash == KeyHash.NONE ? null : lanes.get(lane);
        return keys != null && (keys.hashes.size() >= MOST || keys.hashes.contains(hash));
    }

    /** Notes a message that is or will be in quarantine. A partition that was not read yet will be. */
    synchronized void block(Lane lane, long hash) {
        Keys keys = hash == KeyHash.NONE ? null : lanes.get(lane);
        if (keys != null) {
            keys.hashes.add(hash);
        }
    }

    /** Notes that a key has no messages in quarantine any more. */
    synchronized void free(Lane lane, long hash) {
        Keys keys = lanes.get(lane);
        if (keys != null) {
            keys.hashes.remove(hash);
        }
    }

    /** Notes that the messages from the first to the last offset are settled. */
    synchronized void settled(Lane lane, long first, long last) {
        Keys keys = lanes.get(lane);
        if (keys != null && keys.next == first) {
            keys.next = last + 1;
        }
    }

    synchronized void forget(Lane lane) {
        lanes.remove(lane);
    }
}
