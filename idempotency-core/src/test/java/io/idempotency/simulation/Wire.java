package io.idempotency.simulation;

import io.idempotency.store.TransientStoreException;
import java.time.Instant;
import java.util.function.Supplier;

/** The way to the database: what is asked may fail before or after it was done. Knows the clock at its other end. */
final class Wire {

    private final Simulation simulation;
    private long skewNanos;

    Wire(Simulation simulation) {
        this.simulation = simulation;
    }

    /** Returns the time of the database. */
    Instant now() {
        return Instant.ofEpochSecond(1_000_000, simulation.baton().nanos()).plusNanos(skewNanos);
    }

    /** A call that may fail before it does anything. */
    void fault(String what) {
        simulation.point(what);
        maySurprise(what);
        if (simulation.happens(Fault.STORE_FAILS)) {
            simulation.note("fails: " + what);
            throw new TransientStoreException("The store failed: " + what);
        }
    }

    /** A call that may fail before or after it was done. */
    <T> T call(String what, Supplier<T> work) {
        simulation.point(what);
        maySurprise(what);
        boolean fails = simulation.happens(Fault.STORE_FAILS);
        boolean isDone = !fails || simulation.choices().below(2) == 1;
        if (fails) {
            simulation.note("fails: " + what + "; done: " + isDone);
        }
        T result = isDone ? work.get() : null;
        if (fails || result == null) {
            throw new TransientStoreException("The store failed: " + what);
        }
        return result;
    }

    private void maySurprise(String what) {
        if (simulation.happens(Fault.CLOCK_JUMPS)) {
            simulation.visit(Branch.CLOCK_JUMPED);
            skewNanos += Simulation.LEASE.toNanos() * (2 - simulation.choices().below(4));
            simulation.note("the clock of the database is " + skewNanos / 1_000_000 + " ms ahead");
        }
        if (simulation.happens(Fault.STORE_REFUSES)) {
            simulation.visit(Branch.STORE_REFUSED);
            simulation.note("is refused: " + what);
            throw new IllegalStateException("The store refuses: " + what);
        }
    }
}
