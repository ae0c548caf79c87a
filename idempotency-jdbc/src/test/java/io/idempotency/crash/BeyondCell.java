package io.idempotency.crash;

import java.util.List;
import java.util.UUID;

/** A crash of a process whose message has an effect beyond a row. Each has a consumer, a topic and tables of outputs of its own. */
record BeyondCell(Act act, Point point, String name) {

    static final String MESSAGE = "m";

    /** How many characters of a key the ledger takes. */
    static final int KEY = 20;

    enum Act {
        /** Under {@code STRONG}. */
        ANSWER,
        /** Under {@code AT_LEAST_ONCE}. */
        LEASED_ANSWER,
        STEPS,
        OUTPUT;

        List<Point> points() {
            return switch (this) {
                case ANSWER ->
                    List.of(Point.BEFORE_EFFECT, Point.AFTER_EFFECT, Point.STORED, Point.BEFORE_COMMIT, Point.DONE);
                case LEASED_ANSWER -> List.of(Point.BEFORE_EFFECT, Point.AFTER_EFFECT, Point.STORED, Point.DONE);
                case STEPS -> List.of(Point.BEFORE_EFFECT, Point.AFTER_EFFECT, Point.STORED, Point.DONE, Point.STALLED);
                case OUTPUT ->
                    List.of(Point.BEFORE_EFFECT, Point.AFTER_EFFECT, Point.BEFORE_COMMIT, Point.DONE, Point.SENT);
            };
        }
    }

    enum Point {
        BEFORE_EFFECT,
        AFTER_EFFECT,
        STORED,
        BEFORE_COMMIT,
        DONE,
        SENT,
        STALLED
    }

    static BeyondCell of(Act act, Point point) {
        String number = UUID.randomUUID().toString().substring(0, 8);
        return new BeyondCell(act, point, "b" + number);
    }

    /** Returns the prefix of the tables with its outputs. */
    String prefix() {
        return name + "_";
    }
}
