package io.idempotency.samples.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Lets accidents happen inside a consumer process, at the worst moment, when the demo asks for them. */
final class Saboteur {

    /** The accidents, named as the commands that ask for them. */
    enum Accident {
        /** The process dies while a poll is worked on, its transaction open. */
        HALT_IN_POLL,
        /** The process dies after the commit to the database, before the commit of the offsets. */
        HALT_AFTER_COMMIT,
        /** The database takes longer than {@code max.poll.interval.ms}; the handler goes on afterwards as if nothing had been. */
        OUTLIVE_POLL_INTERVAL,
        /** The handler waits in mid-transaction, so that the demo can stop the process there. */
        HOLD_IN_TRANSACTION
    }

    static final int HALTED = 137;

    /** What is told when the process can be stopped in mid-transaction. */
    static final String HOLDING = "holding";

    /** What is told when the process has begun and ended to be slow. */
    static final String STALLING = "stalling";

    static final String STALLED = "stalled";

    private static final int HOLD_SECONDS = 3;
    private static final int SLOW_SECONDS = PaymentConsumer.MAX_POLL_INTERVAL_SECONDS + 3;

    private final Set<Accident> asked = EnumSet.noneOf(Accident.class);

    synchronized void ask(Accident accident) {
        asked.add(accident);
    }

    private synchronized boolean take(Accident accident) {
        return asked.remove(accident);
    }

    /** Called by the handler in the middle of a payment. */
    void inTransaction(Connection connection) throws SQLException, InterruptedException {
        if (take(Accident.HALT_IN_POLL)) {
            Runtime.getRuntime().halt(HALTED);
        }
        if (take(Accident.HOLD_IN_TRANSACTION)) {
            tell(HOLDING);
            TimeUnit.SECONDS.sleep(HOLD_SECONDS);
        }
        if (take(Accident.OUTLIVE_POLL_INTERVAL)) {
            tell(STALLING);
            try (Statement slow = connection.createStatement()) {
                slow.execute("select pg_sleep(" + SLOW_SECONDS + ")");
            } finally {
                tell(STALLED);
            }
        }
    }

    /** Called when a commit to the database has been confirmed and its offsets are not committed yet. */
    void afterCommit() {
        if (take(Accident.HALT_AFTER_COMMIT)) {
            Runtime.getRuntime().halt(HALTED);
        }
    }

    private static void tell(String event) {
        System.out.println(Child.EVENT + event);
    }
}
