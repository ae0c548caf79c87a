package io.idempotency.samples.demo;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Causes accidents inside a consumer process, at the worst moment, on request of the demo. */
final class Saboteur {

    /** The accidents, each with the name of its command. */
    enum Accident {
        /** The process dies in the middle of a poll, with an open transaction. */
        HALT_IN_POLL,
        /** The process dies after the commit to the database, before the commit of the offsets. */
        HALT_AFTER_COMMIT,
        /** The database takes longer than {@code max.poll.interval.ms}; then the handler goes on. */
        OUTLIVE_POLL_INTERVAL,
        /** The handler waits in mid-transaction, so that the demo can stop the process there. */
        HOLD_IN_TRANSACTION
    }

    static final int HALTED = 137;

    /** The event when the process can be stopped in mid-transaction. */
    static final String HOLDING = "holding";

    /** The event when the process begins or ends to be slow. */
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

    /** Called after a confirmed commit to the database, before the offset commit. */
    void afterCommit() {
        if (take(Accident.HALT_AFTER_COMMIT)) {
            Runtime.getRuntime().halt(HALTED);
        }
    }

    private static void tell(String event) {
        System.out.println(Child.EVENT + event);
    }
}
