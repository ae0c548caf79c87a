package io.idempotency.simulation;

import io.idempotency.IdempotentConsumer;
import io.idempotency.SimulatedConsumers;
import io.idempotency.SimulatedReplays;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.Delivery;
import io.idempotency.store.QuarantineEntry;
import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What a process does that replays: rounds of the library's replayer, and what operators ask for between them. */
final class Replaying implements Runnable {

    private static final Duration TURN = Duration.ofSeconds(2);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    private static final long WAKE_NANOS = 200_000_000;

    private final Simulation simulation;
    private final Member process;
    private final SimulatedHandler handler;
    private final SimulatedReplays<ConsumerRecord<String, String>> replays;
    private boolean isClosing;

    Replaying(
            Simulation simulation,
            Member process,
            IdempotentConsumer<ConsumerRecord<String, String>> consumer,
            SimulatedHandler handler,
            SimulatedConsumers.Clock clock) {
        this.simulation = simulation;
        this.process = process;
        this.handler = handler;
        this.replays = SimulatedReplays.of(consumer, simulation.store().replays(), TURN, clock, simulation::sleep);
    }

    void close() {
        isClosing = true;
    }

    @Override
    public void run() {
        SimulatedReplays.Rounds rounds = replays.rounds((entry, replay) -> replay(entry));
        while (!isClosing) {
            process.beforePoll();
            simulation.operator().act();
            // Somebody wakes it sooner, or not so soon.
            long wake = WAKE_NANOS * (1 + simulation.choices().below(5));
            simulation.sleep(Math.max(1, Math.min(wake, wait(rounds).toNanos())));
        }
        try {
            rounds.close();
        } catch (RuntimeException e) {
            simulation.note("its turns end by themselves: " + e.getMessage());
        }
    }

    private Duration wait(SimulatedReplays.Rounds rounds) {
        try {
            return rounds.next();
        } catch (RuntimeException e) {
            simulation.note("cannot go on: " + e);
            return AFTER_FAILURE;
        }
    }

    private void replay(QuarantineEntry entry) {
        Delivery kept = entry.message().delivery();
        String id = kept.id().value();
        if (simulation.producer().isUnreadable(id)) {
            throw new UnreadableBytesException("Not what was expected", new IllegalStateException(id));
        }
        simulation.note("replays " + kept + (entry.message().isBehind() ? ", which was behind" : ""));
        var unused = replays.consumer()
                .consume(
                        new ConsumerRecord<>(
                                kept.position().stream(),
                                kept.position().partition(),
                                kept.position().offset(),
                                id,
                                id),
                        handler::handle);
    }
}
