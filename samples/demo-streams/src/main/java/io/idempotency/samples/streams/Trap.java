package io.idempotency.samples.streams;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/** Halts this process when it gets to a point for the n-th time, once somebody has set the trap. Thread-safe. */
final class Trap {

    /** The exit status of a process that halted itself. */
    static final int HALTED = 42;

    private final List<Producer<?, ?>> producers = new CopyOnWriteArrayList<>();
    private @Nullable Accident accident;
    private int left;

    /** Sets the trap. */
    synchronized void set(Accident accident, int times) {
        this.accident = accident;
        this.left = times;
    }

    /** Adds a producer. What it was given before a halt is in Kafka: that is the worst order for a state that is ahead of its output. */
    void flushes(Producer<?, ?> producer) {
        producers.add(producer);
    }

    /** Halts if the trap is set for this point. */
    void reach(Accident point) {
        if (isDue(point)) {
            if (point == Accident.BEFORE_IT_FORWARDS || point == Accident.BEHIND_THE_OUTPUT) {
                producers.forEach(Producer::flush);
            }
            Runtime.getRuntime().halt(HALTED);
        }
    }

    private synchronized boolean isDue(Accident point) {
        return point == accident && --left <= 0;
    }
}
