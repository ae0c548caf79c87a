package io.idempotency.samples.demo;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The output of the demo: lines with the seconds since its start, and problems. Thread-safe. */
public final class Screen implements AutoCloseable {

    private final long start = System.nanoTime();
    private final List<String> problems = new ArrayList<>();
    private volatile boolean isClosed;

    /** Starts the clock. */
    public Screen() {}

    /** Prints a line. */
    public void say(String line) {
        if (!isClosed) {
            System.out.println(
                    String.format(Locale.ROOT, "%6.1f s  %s", elapsed().toMillis() / 1000.0, line));
        }
    }

    /** Notes a problem. A run with a problem fails, whatever the verdict says. */
    public void problem(String what) {
        synchronized (problems) {
            problems.add(what);
        }
        say("PROBLEM: " + what);
    }

    /** Notes a problem unless the number is above zero. */
    public void expectSome(long number, String what) {
        if (number <= 0) {
            problem("it did not happen: " + what);
        }
    }

    /** Returns the problems noted so far. */
    public List<String> problems() {
        synchronized (problems) {
            return List.copyOf(problems);
        }
    }

    /** Prints nothing any more: failures during the end do not matter. */
    @Override
    public void close() {
        isClosed = true;
    }

    /** Returns the time since the start. */
    public Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
