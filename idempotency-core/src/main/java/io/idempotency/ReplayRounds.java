package io.idempotency;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Partition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Works on the running replays of a consumer, round by round: a few messages of each partition whose turn this node has, in order of offset. Confined to
 * the thread of the replayer.
 */
final class ReplayRounds {

    /** How often a node looks for replays. */
    static final Duration LOOK = Duration.ofSeconds(5);

    private static final int MOST_AT_A_TIME = 20;

    private final Settings<?> live;
    private final ReplayGuard<?> guard;
    private final ReplayStore replays;
    private final ReplayHandler handler;
    private final ReplayTurns turns;
    private final ReplayWaits waits;
    private final ReplayFollowers followers;
    private final LongSupplier nanoTime;
    private final BooleanSupplier isClosing;
    private final Map<String, ReplayPace> paces = new HashMap<>();
    private final ReplayNews news;
    private int rounds;

    ReplayRounds(ReplayParts<?> parts, ReplayHandler handler, BooleanSupplier isClosing) {
        this.live = parts.live();
        this.guard = parts.guard();
        this.replays = parts.replays();
        this.handler = handler;
        this.turns = parts.turns();
        this.waits = parts.waits();
        this.nanoTime = parts.nanoTime();
        this.isClosing = isClosing;
        this.followers = new ReplayFollowers(parts, handler, isClosing);
        this.news = new ReplayNews(live.name(), replays, nanoTime);
    }

    /** Works for a while. Returns how long to wait before the next round. */
    Duration round() {
        List<Replay> running = new ArrayList<>(replays.running(live.name()));
        running.removeIf(this::isRefused);
        news.tell(running);
        Set<Partition> atWork = new HashSet<>();
        Duration wait = LOOK;
        rounds = (rounds + 1) & Integer.MAX_VALUE;
        for (Replay replay : running) {
            Duration then = isClosing.getAsBoolean() ? LOOK : work(replay, atWork);
            wait = then.compareTo(wait) < 0 ? then : wait;
        }
        Duration next = followers.round(atWork);
        wait = next.compareTo(wait) < 0 ? next : wait;
        paces.keySet()
                .retainAll(running.stream().map(replay -> replay.request().id()).toList());
        turns.retain(atWork);
        return wait;
    }

    /** Gives all turns back. */
    void close() {
        turns.retain(Set.of());
    }

    /** Gives all turns back, and tells which replays wait for other nodes. */
    void rest() {
        close();
        news.tellWaiting();
    }

    /** Stops a replay that could repeat effects, unless it accepts that. */
    private boolean isRefused(Replay replay) {
        if (live.level() != ConsistencyLevel.AT_MOST_ONCE || replay.request().mayRepeat()) {
            return false;
        }
        refuse(
                replay.request().id(),
                "The level of " + live.name()
                        + " is AT_MOST_ONCE, so the effects of these messages may have happened already");
        return true;
    }

    private void refuse(String id, String why) {
        if (replays.stop(
                id,
                why
                        + ". Ask for a replay that accepts repeated effects, by acceptRepeatedEffects(), or by may_repeat = 1 in its row")) {
            news.tellRefused(id);
        }
    }

    private Duration work(Replay replay, Set<Partition> atWork) {
        String id = replay.request().id();
        List<Partition> all = replays.partitions(id);
        if (all.isEmpty()) {
            return replays.endIfDone(id) ? Duration.ZERO : LOOK;
        }
        List<Partition> mine = new ArrayList<>();
        for (Partition partition : all) {
            if (turns.take(partition)) {
                mine.add(partition);
                atWork.add(partition);
            }
        }
        if (mine.isEmpty()) {
            return LOOK;
        }
        ReplayPace pace = paces.computeIfAbsent(id, key -> new ReplayPace(nanoTime.getAsLong()));
        pace.share(replay.request().perSecond(), mine.size(), all.size());
        // Each round begins with another partition, or the first one would take the whole rate.
        Collections.rotate(mine, -(rounds % mine.size()));
        Duration wait = LOOK;
        for (Partition partition : mine) {
            Duration next = work(replay, partition, pace);
            wait = next.compareTo(wait) < 0 ? next : wait;
        }
        return wait;
    }

    /** Works on a partition. Returns how long it waits; zero if it may go on at once. */
    private Duration work(Replay replay, Partition partition, ReplayPace pace) {
        String id = replay.request().id();
        Duration wait = waits.of(partition);
        if (!wait.isZero()) {
            return wait;
        }
        for (ReplayStore.Item item : replays.next(id, partition, MOST_AT_A_TIME)) {
            long untilNext = pace.untilNext(nanoTime.getAsLong());
            if (untilNext > 0) {
                return Duration.ofNanos(untilNext);
            }
            if (isClosing.getAsBoolean() || !isRunning(id) || !turns.take(partition)) {
                return Duration.ZERO;
            }
            pace.begin(nanoTime.getAsLong());
            ReplayEnding ending =
                    guard.replay(id, item, handler, replay.request().mayRepeat());
            if (ending.isRefused()) {
                refuse(
                        id,
                        item.id() + " at " + item.position()
                                + " failed while its consumer was AT_MOST_ONCE, so its effect may have happened already");
                return Duration.ZERO;
            }
            if (ending.isLater()) {
                return waits.again(partition, item, ending.failure());
            }
            waits.goesOn(partition);
        }
        return Duration.ZERO;
    }

    private boolean isRunning(String id) {
        return replays.find(id)
                .filter(replay -> replay.status() == Replay.Status.RUNNING)
                .isPresent();
    }
}
