package io.idempotency.benchmarks;

/** The amount of measuring. */
enum Form {
    /** The ratios and sizes with few ids; about a quarter of an hour. */
    SHORT(1.7),
    /** All scenarios; an hour and a quarter. */
    LONG(2.5),
    /** Single methods, see {@link MicroBenchmarks}; about three minutes. */
    MICRO(1);

    private final double seconds;

    Form(double seconds) {
        this.seconds = seconds;
    }

    /** Returns the default time of one measurement. */
    double seconds() {
        return seconds;
    }
}
