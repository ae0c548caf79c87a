package io.idempotency.simulation;

import io.idempotency.Operations;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.QuarantineSelection;
import java.util.List;

/** Operators: they mend the handler, ask for replays, some of them twice, pause, resume and stop them, drop messages, and
 * forget ranges. When nothing goes wrong any more, they replay all that failed. What is behind follows by itself. */
final class Operator {

    private static final int NAMES = 6;
    private static final int ACTS = 4;
    private static final int DROPS = 8;

    private final Simulation simulation;
    private boolean isMended;
    private int last;

    Operator(Simulation simulation) {
        this.simulation = simulation;
    }

    /** Returns whether messages that failed for good are handled now. */
    boolean isMended() {
        return isMended;
    }

    /** Acts, maybe. */
    void act() {
        if (!isMended
                && (simulation.isCalm()
                        ? simulation.choices().below(3) == 0
                        : simulation.choices().oneIn(12))) {
            simulation.note("the handler is mended");
            isMended = true;
        }
        try {
            if (simulation.isCalm()) {
                replayAll();
            } else if (simulation.choices().oneIn(ACTS)) {
                ask();
            } else if (simulation.choices().oneIn(ACTS)) {
                change();
            } else if (simulation.choices().oneIn(DROPS)) {
                drop();
            } else if (simulation.happens(Fault.FORGET)) {
                forget();
            }
        } catch (IdempotencyException | IllegalStateException e) {
            simulation.note("the operator fails: " + e.getMessage());
        }
    }

    private void ask() {
        List<MessageId> kept = simulation.store().quarantine().ids();
        QuarantineSelection selection = QuarantineSelection.of(Simulation.CONSUMER);
        switch (simulation.choices().below(3)) {
            case 1 ->
                selection = selection.stream(SimulatedLog.TOPIC)
                        .partition(simulation.choices().below(simulation.log().partitions()));
            case 2 -> {
                if (!kept.isEmpty()) {
                    selection = selection.ids(List.of(
                            kept.get(simulation.choices().below(kept.size())).value()));
                }
            }
            default -> {}
        }
        request("r" + simulation.choices().below(NAMES), selection);
    }

    private void request(String id, QuarantineSelection selection) {
        boolean isThere = simulation.store().replays().committed(id).isPresent();
        Replay replay = simulation
                .store()
                .replays()
                .request(ReplayRequest.of(selection).id(id).perSecond(100));
        simulation.visit(isThere ? Branch.REPLAY_REQUESTED_AGAIN : Branch.REPLAY_REQUESTED);
        simulation.note("asks for the replay " + id + " of " + replay.selection());
    }

    private void change() {
        String id = "r" + simulation.choices().below(NAMES);
        SimulatedReplayStore replays = simulation.store().replays();
        boolean isDone = switch (simulation.choices().below(3)) {
            case 1 -> replays.pause(id);
            case 2 -> replays.stop(id, "the operator says so");
            default -> replays.resume(id);
        };
        if (isDone) {
            simulation.visit(Branch.REPLAY_CHANGED);
        }
    }

    private Operations operations() {
        SimulatedStore store = simulation.store();
        return Operations.of(store, store.quarantine(), store.replays(), store.audit());
    }

    private void drop() {
        List<MessageId> kept = simulation.store().quarantine().ids();
        if (!kept.isEmpty()) {
            MessageId id = kept.get(simulation.choices().below(kept.size()));
            simulation.note("drops " + id.value());
            if (operations().drop(id, "bad")) {
                simulation.visit(Branch.DROPPED);
            }
        }
    }

    private void forget() {
        int partition = simulation.choices().below(simulation.log().partitions());
        long first = simulation.choices().below(5);
        long last = first + simulation.choices().below(5);
        simulation.note("forgets " + partition + "@" + first + " to " + last);
        long messages = operations()
                .forget(
                        MessageRange.ofOffsets(Simulation.CONSUMER, SimulatedLog.TOPIC, partition, first, last),
                        "again",
                        sofar -> {})
                .messages();
        if (messages > 0) {
            simulation.visit(Branch.RANGE_FORGOTTEN);
        }
    }

    private void replayAll() {
        List<Replay> all = simulation.store().replays().all();
        for (Replay replay : all) {
            if (replay.status() == Replay.Status.PAUSED) {
                boolean unused =
                        simulation.store().replays().resume(replay.request().id());
            }
        }
        boolean isRunning = all.stream().anyMatch(replay -> !replay.status().hasEnded());
        List<String> failed = simulation.store().quarantine().failed();
        if (!isRunning && !failed.isEmpty()) {
            request("all" + last++, QuarantineSelection.of(Simulation.CONSUMER).ids(failed));
        }
    }
}
