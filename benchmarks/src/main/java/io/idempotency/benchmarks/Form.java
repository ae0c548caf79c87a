package io.idempotency.benchmarks;

/** How much is measured. */
enum Form {
    /** What the ratios and sizes with few ids need; about ten minutes. */
    SHORT,
    /** All scenarios; more than an hour. */
    LONG
}
