package io.idempotency;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The messages of one call and how far each partition has come. A message is <em>open</em> until it is settled or its partition
 * is stopped; what was closed never opens again. Confined to the consuming thread.
 */
final class Poll<M> {

    /** A time that is never over. */
    static final Duration NO_LIMIT = Duration.ofDays(36_500);

    private final List<Item<M>> items;
    private final LongSupplier nanoTime;
    private final long timeNanos;
    private final long deadlineNanos;
    private final Map<Lane, Stopped> stopped = new LinkedHashMap<>();
    private int closedBefore;
    private int together = Integer.MAX_VALUE;
    private boolean isInterrupted;

    private record Stopped(Duration retryAfter, Optional<Throwable> cause, boolean isCharged) {}

    Poll(List<Item<M>> items, Duration time, LongSupplier nanoTime) {
        this.items = items;
        this.nanoTime = nanoTime;
        this.timeNanos = time.compareTo(NO_LIMIT) < 0 ? time.toNanos() : NO_LIMIT.toNanos();
        this.deadlineNanos = now() + timeNanos;
    }

    /** Returns the time, in nanoseconds from anywhere. */
    long now() {
        return nanoTime.getAsLong();
    }

    /** Returns how long a chunk may take. */
    long timeNanos() {
        return timeNanos;
    }

    /** Returns whether no new work may begin: the time is over, or the thread was interrupted. */
    boolean isOutOfTime() {
        return isInterrupted || Thread.currentThread().isInterrupted() || now() - deadlineNanos > 0;
    }

    /**
     * Notes an exception. An interruption of this thread is kept until the call returns, so that running work can still be rolled back and
     * released: drivers and pools refuse to work for an interrupted thread.
     */
    void noteInterruption(Throwable thrown) {
        isInterrupted |= Causes.isOwnInterruption(thrown);
    }

    /** Returns the interruption, if there was one, to the thread. */
    void interruptAgain() {
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    boolean isOpen(Item<M> item) {
        return item.outcome() == null && !isStopped(item);
    }

    private boolean isStopped(Item<M> item) {
        return !stopped.isEmpty() && stopped.containsKey(item.lane());
    }

    /** Returns the open ones of the items given, in order. */
    List<Item<M>> open(List<Item<M>> some) {
        return some.stream().filter(this::isOpen).toList();
    }

    /**
     * Returns the next open messages to work on together, at most as many as their partitions' limits allow. One that has to
     * be worked alone, because its id is unusable or it failed before, comes alone; a partition that is limited comes without others, so that
     * whatever it meets again does not meet them. Empty when nothing is open.
     */
    List<Item<M>> nextChunk(Lanes lanes, Suspects suspects, int most) {
        while (closedBefore < items.size() && !isOpen(items.get(closedBefore))) {
            closedBefore++;
        }
        int limit = Math.min(most, together);
        boolean isTrouble = !lanes.isEmpty() || !suspects.isEmpty();
        List<Item<M>> chunk = new ArrayList<>();
        for (int i = closedBefore; i < items.size() && chunk.size() < limit; i++) {
            Item<M> item = items.get(i);
            if (!isOpen(item)) {
                continue;
            }
            if (item.unreadable().isPresent() || (isTrouble && isAlone(item, lanes, suspects))) {
                return chunk.isEmpty() ? List.of(item) : chunk;
            }
            if (isTrouble && chunk.isEmpty()) {
                limit = lanes.limit(item.lane(), limit);
            }
            if (isTrouble && !isTogether(item, chunk, lanes)) {
                continue;
            }
            if (isTrouble) {
                limit = Math.min(limit, suspects.together(item.lane()));
                if (chunk.size() >= limit) {
                    return chunk;
                }
            }
            chunk.add(item);
        }
        return chunk;
    }

    private static boolean isAlone(Item<?> item, Lanes lanes, Suspects suspects) {
        return lanes.hasFailed(item.lane(), item.delivery().id()) || suspects.isAlone(item);
    }

    private static boolean isTogether(Item<?> item, List<? extends Item<?>> chunk, Lanes lanes) {
        return chunk.isEmpty()
                || item.lane().equals(chunk.get(0).lane())
                || (!lanes.isLimited(chunk.get(0).lane()) && !lanes.isLimited(item.lane()));
    }

    /** Notes that so many messages failed together: half as many share a transaction from now on. */
    void failedTogether(int chunk) {
        together = Math.max(1, chunk / 2);
    }

    /** Notes that messages were settled together: twice as many may share a transaction again. */
    void settledTogether() {
        together = together > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE : together * 2;
    }

    /** Stops the partition of the item: nothing of it is open any more. */
    void stop(Item<M> item, Duration retryAfter, Optional<Throwable> cause) {
        stopped.putIfAbsent(item.lane(), new Stopped(retryAfter, cause, false));
    }

    /** Stops the partition of an item that is charged with a failure. */
    void stopCharged(Item<M> item, Duration retryAfter, Throwable cause) {
        stopped.putIfAbsent(item.lane(), new Stopped(retryAfter, Optional.of(cause), true));
    }

    /** Stops the partitions of all items that are open, to be delivered again at once. */
    void stopRest() {
        for (Item<M> item : items) {
            if (isOpen(item)) {
                stop(item, Duration.ZERO, Optional.empty());
            }
        }
    }

    static <M> Collection<Item<M>> firstOfEachLane(List<Item<M>> items) {
        Map<Lane, Item<M>> first = new LinkedHashMap<>();
        for (Item<M> item : items) {
            first.putIfAbsent(item.lane(), item);
        }
        return first.values();
    }

    /** Returns the partitions in which all is settled. */
    Set<Lane> settledLanes() {
        return settledLanes(items);
    }

    /** Returns the partitions of the items in which all of them are settled. */
    Set<Lane> settledLanes(List<Item<M>> some) {
        Set<Lane> lanes = new LinkedHashSet<>();
        some.forEach(item -> lanes.add(item.lane()));
        some.stream().filter(item -> item.outcome() == null).forEach(item -> lanes.remove(item.lane()));
        lanes.removeAll(stopped.keySet());
        return lanes;
    }

    /** Returns whether nothing is settled, and no partition stopped but at the items given. */
    boolean hasComeToNothing(Set<Item<?>> stoppedAt) {
        return stopped.size() == stoppedAt.size() && items.stream().allMatch(item -> item.outcome() == null);
    }

    BatchResult result() {
        Outcome[] outcomes = new Outcome[items.size()];
        Map<Lane, Stop> stops = new LinkedHashMap<>();
        for (int i = 0; i < outcomes.length; i++) {
            Item<M> item = items.get(i);
            Outcome outcome = item.outcome();
            outcomes[i] = outcome == null ? Outcome.RELEASED : outcome;
            Stopped lane = stopped.isEmpty() ? null : stopped.get(item.lane());
            if (lane != null && (outcome == null || !outcome.isSettled())) {
                stops.putIfAbsent(
                        item.lane(), new Stop(item.index(), lane.retryAfter(), lane.cause(), lane.isCharged()));
            }
        }
        return new BatchResult(List.of(outcomes), List.copyOf(stops.values()));
    }
}
