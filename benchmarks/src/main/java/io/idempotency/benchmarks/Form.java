package io.idempotency.benchmarks;

/** The amount of measuring. */
enum Form {
    /** The ratios and sizes with few ids; about a quarter of an hour. */
    SHORT(1.7, 10_000_000),
    /** All scenarios; an hour and a half. */
    LONG(2.5, 100_000_000),
    /** A journal of a billion ids, and nothing else. */
    HUGE(2.5, 1_000_000_000),
    /** Relays of an outbox, see {@link OutboxBenchmark}; about ten minutes. */
    OUTBOX(2.5, 0),
    /** Kafka Streams, see {@link StreamsBenchmark}; about five minutes. */
    STREAMS(2.5, 0),
    /** Share groups, see {@link ShareBenchmark}; about three minutes. */
    SHARE(2.5, 0),
    /** Single methods, see {@link MicroBenchmarks}; about three minutes. */
    MICRO(1, 0);

    private final double seconds;
    private final long archived;

    Form(double seconds, long archived) {
        this.seconds = seconds;
        this.archived = archived;
    }

    /** Returns the default time of one measurement. */
    double seconds() {
        return seconds;
    }

    /** Returns the default number of ids in archives. */
    long archived() {
        return archived;
    }
}
