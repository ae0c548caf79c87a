package io.idempotency.cli;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.UUID;

/** Follows a replay until it ends, or until it is clear that no running instance takes it. */
final class ReplayWait {

    private static final Duration SHORT_TURN = Duration.ofSeconds(1);

    private final ReplayStore replays;
    private final Environment environment;
    private final Output output;

    ReplayWait(Database database, Environment environment, Output output) {
        this.replays = database.replays();
        this.environment = environment;
        this.output = output;
    }

    /** Returns the exit code. The replay goes on if this is interrupted. */
    int follow(String id) {
        long beganNanos = System.nanoTime();
        Replay replay = find(id);
        long told = replay.progress().left();
        boolean isTaken = false;
        while (!replay.status().hasEnded()) {
            pause(id);
            replay = find(id);
            long left = replay.progress().left();
            if (left != told) {
                told = left;
                isTaken = true;
                output.note(replay.toString());
            }
            boolean isLate =
                    System.nanoTime() - beganNanos > environment.patience().toNanos();
            if (!isTaken && isLate && replay.status() == Replay.Status.RUNNING) {
                isTaken = isSomebodyAtIt(replay);
                if (!isTaken) {
                    return abandoned(replay);
                }
            }
        }
        output.one(ReplayView.fields(replay));
        return replay.status() == Replay.Status.DONE
                        && replay.progress().processed() + replay.progress().duplicates()
                                == replay.progress().total()
                ? ExitCode.DONE
                : ExitCode.NOTHING;
    }

    private Replay find(String id) {
        return replays.find(id).orElseThrow(() -> new IdempotencyException("There is no replay " + id));
    }

    /** Returns whether a node has the turn at a partition: a slow handler settles nothing for a while. */
    private boolean isSomebodyAtIt(Replay replay) {
        String consumer = replay.request().selection().consumer();
        String me = "cli-" + UUID.randomUUID();
        for (Partition partition : replays.partitions(replay.request().id())) {
            if (!replays.takeTurn(consumer, partition, me, SHORT_TURN)) {
                return true;
            }
            replays.endTurn(consumer, partition, me);
        }
        return false;
    }

    private int abandoned(Replay replay) {
        output.one(ReplayView.fields(replay));
        String id = replay.request().id();
        output.note("No running instance of " + replay.request().selection().consumer() + " has taken the replay " + id
                + " within " + environment.patience().toSeconds()
                + " seconds. It still waits for one; to end it: quarantine replay stop " + id);
        return ExitCode.NOTHING;
    }

    private void pause(String id) {
        try {
            Thread.sleep(environment.pause().toMillis());
        } catch (InterruptedException e) {
            throw new StoppedException("Interrupted; the replay " + id + " goes on");
        }
    }
}
