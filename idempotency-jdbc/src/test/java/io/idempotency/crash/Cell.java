package io.idempotency.crash;

import io.idempotency.ConsistencyLevel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** One cell of the table of promises: a level, and where the process halts; and the store that it is seen with. */
record Cell(ConsistencyLevel level, CrashPoint point, Kind store) {

    /** The stores that promises are seen with. */
    enum Kind {
        TABLE,
        JOURNAL
    }

    /** The messages of a cell, in the order in which they stand in its partition. */
    static final List<String> MESSAGES = List.of("m0", "m1", "m2", "m3", "m4");

    /** The message that the crash hits. */
    static final String TARGET = "m2";

    /** How many handlers may fail before a message is quarantined. */
    static final int ATTEMPTS = 2;

    /** The life in which a message that killed all lives before does so no more: one more than quarantine would need. */
    static final int MENDED_LIFE = ATTEMPTS + 2;

    /** Tells one run from another; the processes of a run have it in their environment. */
    static final String RUN_VARIABLE = "IDEMPOTENCY_RUN";

    static final String RUN = Optional.ofNullable(System.getenv(RUN_VARIABLE))
            .orElseGet(() -> Long.toString(System.currentTimeMillis(), Character.MAX_RADIX));

    /** The levels that the journal store serves. Deadly poison repeats the crash after the effect, and takes the longest. */
    private static List<ConsistencyLevel> ofJournals(CrashPoint point) {
        return point == CrashPoint.DEADLY_POISON
                ? List.of()
                : List.of(ConsistencyLevel.STRONG, ConsistencyLevel.AT_MOST_ONCE);
    }

    Cell(ConsistencyLevel level, CrashPoint point) {
        this(level, point, Kind.TABLE);
    }

    static List<Cell> all() {
        List<Cell> cells = new ArrayList<>();
        for (CrashPoint point : CrashPoint.values()) {
            for (ConsistencyLevel level : ConsistencyLevel.values()) {
                cells.add(new Cell(level, point));
            }
            for (ConsistencyLevel level : ofJournals(point)) {
                cells.add(new Cell(level, point, Kind.JOURNAL));
            }
        }
        return cells;
    }

    /** The name of its topic, its group and its consumer. It is new in each run, because a database may remember the last one. */
    String id() {
        return (level + "-" + point + (store == Kind.TABLE ? "" : "-" + store) + "-" + RUN)
                .toLowerCase(Locale.ROOT)
                .replace('_', '-');
    }

    @Override
    public String toString() {
        return level + ", " + point.title() + (store == Kind.TABLE ? "" : ", with the journal store");
    }
}
