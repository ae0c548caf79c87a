package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.replay.Replay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * What goes on in a cell beside the node that halts: two more nodes replay the same messages, one by turns and one that has lost its turn and does not
 * know it, another one consumes their original records and new ones, another one purges, and the replay is requested again.
 */
final class ReplayRace implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final long PAUSE_MILLIS = 10;

    private final ReplayCell cell;
    private final ReplayHalt atFollowing = new ReplayHalt(null);
    private final ReplayHalt atLate = ReplayHalt.withoutTurns();
    private final ReplayHalt atConsuming = new ReplayHalt(null);
    private final ReplayNode following;
    private final ReplayNode late;
    private final ReplayNode consuming;
    private final ReplayNode purging;
    private final List<ReplayNode.Message> records;
    private final ScheduledExecutorService running = Executors.newScheduledThreadPool(2);
    /** They end only if they fail. */
    private final List<Future<?>> repeated = new ArrayList<>();

    ReplayRace(ReplayCell cell, DataSource dataSource) {
        this.cell = cell;
        this.following = new ReplayNode(cell, dataSource, atFollowing);
        this.late = new ReplayNode(cell, dataSource, atLate);
        this.consuming = new ReplayNode(cell, dataSource, atConsuming);
        this.purging = new ReplayNode(cell, dataSource, new ReplayHalt(null));
        // The message that is hit comes first, because the first one is processed already, and is refused when it is
        // purged.
        this.records = Stream.of(
                        cell.messages().stream().skip(1),
                        cell.newMessages().stream(),
                        cell.messages().stream().limit(1))
                .flatMap(messages -> messages)
                .toList();
    }

    /** Quarantines the messages, and requests their replay. */
    void request() {
        following.request(cell.messages());
    }

    /** Returns how far the replay is, for a failed test. */
    String progress() {
        return cell + ": " + following.replay() + ", " + following.replay().progress();
    }

    /** Begins everything. Returns when all of it has met the message at which the other node waits, or nothing is left. */
    void begin() {
        following.start();
        late.start();
        repeat(() -> records.forEach(consuming::deliver));
        repeat(purging::purge);
        await().alias("requested again: " + cell)
                .atMost(PATIENCE)
                .pollInterval(LOOK)
                .until(following::isAloneWhenRequestedAgain);
        await().alias("met: " + cell)
                .atMost(PATIENCE)
                .pollInterval(LOOK)
                .until(() -> atConsuming.hasMetTarget()
                        && (following.isDone() || (atFollowing.hasMetTarget() && atLate.hasMetTarget())));
    }

    private void repeat(Runnable work) {
        repeated.add(running.scheduleWithFixedDelay(work, 0, PAUSE_MILLIS, TimeUnit.MILLISECONDS));
    }

    /** Waits until the replay has ended and the new messages are processed. Returns the fates of all messages. */
    Map<String, Seen.Fate> end() {
        await().alias(cell.toString())
                .atMost(PATIENCE)
                .pollInterval(LOOK)
                .until(() -> following.isDone()
                        && late.isDone()
                        && ReplayCell.NEW_MESSAGES.stream()
                                .allMatch(message -> consuming.fate(message).effects() > 0));
        assertThat(repeated).as(cell + ": what consumes and purges").noneMatch(Future::isDone);
        close();
        Replay replay = following.replay();
        assertThat(replay.status()).as(cell + ": " + replay).isEqualTo(Replay.Status.DONE);
        assertThat(replay.progress().left()).as(cell + ": " + replay).isZero();
        Map<String, Seen.Fate> fates = new LinkedHashMap<>();
        records.forEach(message -> fates.put(message.id(), following.fate(message.id())));
        return fates;
    }

    @Override
    public void close() {
        running.shutdown();
        try {
            assertThat(running.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Stream.of(following, late, consuming, purging).forEach(ReplayNode::close);
    }
}
