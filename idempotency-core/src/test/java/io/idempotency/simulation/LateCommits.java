package io.idempotency.simulation;

import java.util.ArrayList;
import java.util.List;

/** Commits that are still under way when their process has given them up. Their rows stay locked until they arrive. */
final class LateCommits {

    private static final long FOREVER = 3_600_000_000_000L;

    private final Simulation simulation;
    private final RowLocks locks;
    private final List<Late> underWay = new ArrayList<>();

    private record Late(long dueNanos, RunningTransaction running, Runnable commit) {}

    LateCommits(Simulation simulation, RowLocks locks) {
        this.simulation = simulation;
        this.locks = locks;
    }

    boolean isEmpty() {
        return underWay.isEmpty();
    }

    /** Sends a commit that arrives after a while, on a fibre that belongs to no process. */
    void send(RunningTransaction running, Runnable commit) {
        long delay = Simulation.LEASE.toNanos() * (1 + simulation.choices().below(20)) / 2;
        underWay.add(new Late(simulation.baton().nanos() + delay, running, commit));
        if (simulation.isBroken(Broken.LATE_COMMIT_LOCKS_NOTHING)) {
            locks.release(running);
        }
    }

    /** Lets the commits arrive, for ever. */
    void run() {
        while (true) {
            boolean isDue =
                    simulation.baton().waitFor(FOREVER, () -> underWay.stream().anyMatch(this::isDue));
            for (Late late : List.copyOf(underWay)) {
                if (isDue && isDue(late)) {
                    underWay.remove(late);
                    simulation.visit(Branch.COMMIT_ARRIVED_LATE);
                    simulation.note("a commit arrives");
                    late.commit().run();
                    locks.release(late.running());
                }
            }
        }
    }

    private boolean isDue(Late late) {
        return late.dueNanos() <= simulation.baton().nanos();
    }
}
