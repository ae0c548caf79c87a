package io.idempotency;

import io.idempotency.store.MessageId;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Remembers messages that failed together until they are delivered again: which message runs alone, which one its handler named, and how
 * many of a partition may share a transaction. Empty as long as nothing fails. Thread-safe.
 *
 * <ul>
 *   <li>If it is known which message failed, the messages before it run together, then it runs alone. If it fails alone, it is charged. If it
 *       does not, the combination was to blame, and half as many share a transaction.
 *   <li>If it is unknown, half as many share a transaction, until one is alone: a bisection.
 *   <li>A charged message explains the earlier failures, so the limit of its partition is lifted. Without one, each settled delivery doubles
 *       the limit, so that a handler that fails in company costs one more delivery at a time.
 * </ul>
 */
final class Suspects {

    private static final int MOST = 10_000;

    private final Map<Object, Suspect> suspects = new LinkedHashMap<>();
    private final Map<Lane, Integer> together = new HashMap<>();
    private volatile boolean isEmpty = true;

    /** A message that failed among so many, or was named with a failure. */
    private record Suspect(MessageId id, int among, Optional<Throwable> named) {}

    boolean isEmpty() {
        return isEmpty;
    }

    /** Notes that a message failed among others. */
    synchronized void failedAmong(Item<?> item, int among) {
        put(item, new Suspect(item.delivery().id(), among, Optional.empty()));
    }

    /** Notes a message that its handler named as failed. The next delivery charges it without handling it again. */
    synchronized void named(Item<?> item, Throwable failure) {
        put(item, new Suspect(item.delivery().id(), 1, Optional.of(failure)));
    }

    private void put(Item<?> item, Suspect suspect) {
        Object key = key(item);
        suspects.remove(key);
        if (suspects.size() >= MOST) {
            suspects.remove(suspects.keySet().iterator().next());
        }
        suspects.put(key, suspect);
        isEmpty = false;
    }

    /** Messages without a partition come in any order, so that several of them may be suspect at a time. */
    private static Object key(Item<?> item) {
        return item.lane().isOrdered() ? item.lane() : item.delivery().id();
    }

    /** Notes that messages failed and nobody knows which. */
    void failedTogether(Collection<? extends Item<?>> items) {
        separate(items, Math.max(1, items.size() / 2));
    }

    /** Notes that messages failed in a transaction that their handler had committed in part. Sharing another one would double more. */
    void committedTogether(Collection<? extends Item<?>> items) {
        separate(items, 1);
    }

    private synchronized void separate(Collection<? extends Item<?>> items, int most) {
        items.forEach(item -> together.merge(item.lane(), most, Math::min));
        isEmpty = false;
    }

    /** Returns whether the message is handled, or charged, alone. */
    synchronized boolean isAlone(Item<?> item) {
        return find(item) != null;
    }

    private @Nullable Suspect find(Item<?> item) {
        Suspect suspect = suspects.get(key(item));
        return suspect != null && suspect.id().equals(item.delivery().id()) ? suspect : null;
    }

    /** Returns how many may share a transaction in which the lane takes part. */
    synchronized int together(Lane lane) {
        return together.getOrDefault(lane, Integer.MAX_VALUE);
    }

    /** Returns the failure that the message was named for, once. */
    synchronized Optional<Throwable> takeNamed(Item<?> item) {
        Suspect suspect = find(item);
        if (suspect != null && suspect.named().isPresent()) {
            remove(item);
            return suspect.named();
        }
        return Optional.empty();
    }

    private void remove(Item<?> item) {
        suspects.remove(key(item));
        isEmpty = suspects.isEmpty() && together.isEmpty();
    }

    /** Notes that a message is settled without having failed alone. */
    synchronized void settled(Item<?> item) {
        Suspect suspect = find(item);
        if (suspect != null && suspect.among() > 1) {
            together.merge(item.lane(), suspect.among() / 2, Math::min);
        }
        if (suspect != null) {
            remove(item);
        }
    }

    /** Notes that a message failed alone. */
    synchronized void charged(Item<?> item) {
        together.remove(item.lane());
        remove(item);
    }

    /** Forgets a lane, whose messages another consumer gets. */
    synchronized void forget(Lane lane) {
        suspects.remove(lane);
        together.remove(lane);
        isEmpty = suspects.isEmpty() && together.isEmpty();
    }

    /** Notes that everything delivered from the lanes is settled. */
    synchronized void settled(Collection<Lane> lanes, int most) {
        lanes.forEach(lane -> together.computeIfPresent(lane, (key, size) -> size >= (most + 1) / 2 ? null : size * 2));
        isEmpty = suspects.isEmpty() && together.isEmpty();
    }
}
