package io.idempotency;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.Printable;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells in the log of this node how the replays of its consumer go: where one begins and ends, why one stops, where one waits, and once a minute how far one
 * is. Confined to the thread of the replayer.
 */
final class ReplayNews {

    /** The time between two lines about the progress of one replay. */
    static final Duration BETWEEN_PROGRESS = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(Replayer.class);

    private final String consumer;
    private final ReplayStore replays;
    private final LongSupplier nanoTime;
    /** When the last line about each running replay was written. */
    private final Map<String, Long> toldAt = new HashMap<>();

    private final Set<String> waiting = new HashSet<>();

    ReplayNews(String consumer, ReplayStore replays, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.replays = replays;
        this.nanoTime = nanoTime;
    }

    /** Tells of those that run and of those that ran the last time. */
    void tell(List<Replay> running) {
        waiting.clear();
        Set<String> ended = new HashSet<>(toldAt.keySet());
        for (Replay replay : running) {
            ended.remove(replay.request().id());
            tell(replay);
        }
        ended.forEach(this::tellEnd);
    }

    private void tell(Replay replay) {
        String id = replay.request().id();
        Long before = toldAt.get(id);
        long now = nanoTime.getAsLong();
        if (before == null) {
            boolean isBegun = replay.progress().left() < replay.progress().total();
            log.info(
                    "Replay {} of {} {}: {}, {} left, at most {} a second. Asked for by {}. Reason: {}",
                    Printable.of(id),
                    consumer,
                    isBegun ? "goes on" : "begins",
                    Printable.of(replay.selection()),
                    replay.progress().left(),
                    replay.request().perSecond(),
                    Printable.of(replay.request().actor()),
                    Printable.of(replay.request().reason()));
        } else if (now - before >= BETWEEN_PROGRESS.toNanos()) {
            log.info("Replay {} of {}: {}, {} left.", Printable.of(id), consumer, counts(replay), left(replay));
        } else {
            return;
        }
        toldAt.put(id, now);
    }

    private void tellEnd(String id) {
        toldAt.remove(id);
        Replay replay = replays.find(id).orElse(null);
        if (replay == null) {
            log.warn("Replay {} of {} is gone: somebody has deleted its row.", Printable.of(id), consumer);
            return;
        }
        switch (replay.status()) {
            case STOPPED -> tellStop(replay);
            case DONE ->
                log.info(
                        "Replay {} of {} is done: {}.{}",
                        Printable.of(id),
                        consumer,
                        counts(replay),
                        replay.stoppedBy().map(why -> " " + why + ".").orElse(""));
            default ->
                log.info(
                        "Replay {} of {} is {}: {}, {} left.",
                        Printable.of(id),
                        consumer,
                        replay.status() == Replay.Status.PAUSED ? "paused" : "resumed",
                        counts(replay),
                        left(replay));
        }
    }

    /** Tells of one that stopped. */
    private void tellStop(Replay replay) {
        log.warn(
                "Replay {} of {} is stopped: {}. Until then: {}. {} messages are left in quarantine, and belong to no replay.",
                Printable.of(replay.request().id()),
                consumer,
                Printable.of(replay.stoppedBy().orElse("no reason is known")),
                counts(replay),
                left(replay));
    }

    /** Tells of one that this consumer refuses. */
    void tellRefused(String id) {
        toldAt.remove(id);
        replays.find(id).ifPresent(this::tellStop);
    }

    /** Tells of those that run while this node does not work. */
    void tellWaiting() {
        for (Replay replay : replays.running(consumer)) {
            if (waiting.add(replay.request().id())) {
                log.info(
                        "Replay {} of {} waits for another node: this one does not work now, because its listener is stopped or paused. {} left.",
                        Printable.of(replay.request().id()),
                        consumer,
                        left(replay));
            }
        }
        toldAt.clear();
    }

    private static long left(Replay replay) {
        return replay.progress().left();
    }

    private static String counts(Replay replay) {
        Replay.Progress progress = replay.progress();
        return "of " + progress.total() + " messages " + progress.processed() + " processed, " + progress.duplicates()
                + " duplicates, " + progress.failed() + " failed again, " + progress.unreadable() + " unreadable";
    }
}
