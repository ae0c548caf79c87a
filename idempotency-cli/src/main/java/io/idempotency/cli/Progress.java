package io.idempotency.cli;

import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/** Tells how far a long work is, at most once a second, and ends it if somebody interrupts the command. Not thread-safe. */
final class Progress implements LongConsumer {

    private static final long INTERVAL = TimeUnit.SECONDS.toNanos(1);

    private final Output output;
    private final String what;
    private final String afterwards;
    private long toldNanos = System.nanoTime();

    /** @param what what is counted, such as {@code messages forgotten} */
    Progress(Output output, String what) {
        this(output, what, "the same command goes on");
    }

    /** @param afterwards what somebody does who has interrupted the command */
    Progress(Output output, String what, String afterwards) {
        this.output = output;
        this.what = what;
        this.afterwards = afterwards;
    }

    @Override
    public void accept(long count) {
        if (Thread.interrupted()) {
            throw new StoppedException("Interrupted after " + count + " " + what + "; " + afterwards);
        }
        if (System.nanoTime() - toldNanos > INTERVAL) {
            toldNanos = System.nanoTime();
            output.note(count + " " + what + " …");
        }
    }
}
