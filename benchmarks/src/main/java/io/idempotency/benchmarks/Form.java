package io.idempotency.benchmarks;

/** How much is measured. */
enum Form {
    /** What the ratios and sizes with few ids need; about ten minutes. */
    SHORT(1.7),
    /** All scenarios; an hour and ten minutes. */
    LONG(2.5),
    /** No scenario, but single methods, see {@link MicroBenchmarks}; about three minutes. */
    MICRO(1);

    private final double seconds;

    Form(double seconds) {
        this.seconds = seconds;
    }

    /** Returns how long each is measured at a time, unless said otherwise. */
    double seconds() {
        return seconds;
    }
}
