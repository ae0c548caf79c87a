package io.idempotency.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets exactly one fibre run at a time and decides which one, and what time it is. A fibre hands the baton on at each step. If all of them wait,
 * the clock moves on to the first one that is due.
 */
final class Baton {

    private static final long MILLI = 1_000_000;

    private final Choices choices;
    private final int mostSteps;
    private final List<Fibre> fibres = new ArrayList<>();
    private final Semaphore end = new Semaphore(0);
    private final List<String> trace = new ArrayList<>();
    private final boolean isTraced;
    /** The higher, the more often the baton changes hands. */
    private final int restlessness;

    private Fibre current = new Fibre("nobody");
    private long nanos;
    private int steps;
    private boolean isStopping;
    private @Nullable Throwable failure;

    /** A simulated process: a thread that runs only while it holds the baton. */
    static final class Fibre {

        final String name;
        private final Semaphore turn = new Semaphore(0);
        private long dueNanos;
        private BooleanSupplier ready = () -> false;
        private boolean isDone;

        Fibre(String name) {
            this.name = name;
        }
    }

    /** Ends a fibre because the schedule is over. */
    static final class Over extends VirtualMachineError {
        private static final long serialVersionUID = 1L;

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it has no state
        public Throwable fillInStackTrace() {
            return this;
        }
    }

    Baton(Choices choices, int mostSteps, boolean isTraced) {
        this.choices = choices;
        this.mostSteps = mostSteps;
        this.isTraced = isTraced;
        this.restlessness = 1 + choices.below(4);
    }

    long nanos() {
        return nanos;
    }

    int steps() {
        return steps;
    }

    Fibre current() {
        return current;
    }

    List<String> trace() {
        return trace;
    }

    /** Notes what happens, for whoever reads a failing schedule. */
    void note(String what) {
        if (isTraced) {
            trace.add(nanos / MILLI + " ms " + current.name + ": " + what);
        }
    }

    Fibre add(String name) {
        Fibre fibre = new Fibre(name);
        fibres.add(fibre);
        return fibre;
    }

    /** Runs the bodies, one for each fibre, until all have ended. Throws what one of them threw. */
    void run(List<Runnable> bodies, Executor threads) {
        for (int i = 0; i < bodies.size(); i++) {
            Fibre fibre = fibres.get(i);
            Runnable body = bodies.get(i);
            threads.execute(() -> {
                fibre.turn.acquireUninterruptibly();
                try {
                    body.run();
                } catch (Over over) {
                    // as wanted
                } catch (Throwable thrown) {
                    fail(thrown);
                } finally {
                    fibre.isDone = true;
                    handOn(false);
                }
            });
        }
        current = fibres.get(0);
        current.turn.release();
        end.acquireUninterruptibly();
        if (failure instanceof Error error) {
            throw error;
        } else if (failure != null) {
            throw new AssertionError("A process ended by " + failure, failure);
        }
    }

    private void fail(Throwable thrown) {
        if (failure == null) {
            failure = thrown;
        }
        isStopping = true;
    }

    /** Returns whether the schedule is over: nothing that happens counts any more. */
    boolean isStopping() {
        return isStopping;
    }

    /** Ends all fibres at their next step. */
    void stop() {
        isStopping = true;
    }

    /** Ends the schedule, because something is wrong. */
    Over violated(String what) {
        note("VIOLATED: " + what);
        fail(new Violation(what));
        return new Over();
    }

    /** Lets others run. */
    void step() {
        nanos += MILLI / 4;
        waitFor(0, () -> true);
    }

    /** Lets others run until the time has come. */
    void sleep(long length) {
        waitFor(length, () -> false);
    }

    /** Lets others run until the condition holds. Returns false if the time is over first. */
    boolean waitFor(long length, BooleanSupplier ready) {
        if (isStopping) {
            throw new Over();
        }
        if (++steps > mostSteps) {
            throw violated("does not come to rest within " + mostSteps + " steps");
        }
        Fibre me = current;
        me.dueNanos = nanos + length;
        me.ready = ready;
        handOn(true);
        if (isStopping) {
            throw new Over();
        }
        return ready.getAsBoolean();
    }

    private void handOn(boolean isBack) {
        Fibre me = current;
        Fibre next = next(me);
        if (next == null) {
            end.release();
        } else if (next != me) {
            current = next;
            next.turn.release();
            if (isBack) {
                me.turn.acquireUninterruptibly();
            }
        }
    }

    private @Nullable Fibre next(Fibre me) {
        int from = fibres.indexOf(me);
        List<Fibre> able = new ArrayList<>();
        Fibre first = null;
        for (int i = 0; i < fibres.size(); i++) {
            Fibre fibre = fibres.get((from + i) % fibres.size());
            if (fibre.isDone) {
                continue;
            }
            if (isStopping || fibre.dueNanos <= nanos || fibre.ready.getAsBoolean()) {
                able.add(fibre);
            }
            if (first == null || fibre.dueNanos < first.dueNanos) {
                first = fibre;
            }
        }
        if (isStopping) {
            return first;
        }
        if (able.isEmpty()) {
            if (first != null) {
                nanos = first.dueNanos;
            }
            return first;
        }
        boolean isStaying = able.size() == 1 || choices.below(restlessness + 1) == 0;
        return able.get(isStaying ? 0 : choices.below(able.size()));
    }
}
