package io.idempotency.benchmarks;

/**
 * The answer of a contestant after a round.
 *
 * @param handled the number of all handled messages
 * @param messages the number of messages handled while the clock was running
 * @param seconds the time for these
 * @param p50Micros the median time of a poll in microseconds
 * @param p99Micros the 99th percentile of the same
 * @param memoryBytes the memory of a journal store at the end
 */
record Outcome(long handled, long messages, double seconds, double p50Micros, double p99Micros, long memoryBytes) {

    /** Returns the outcome of an action without polls. */
    static Outcome of(long messages, double seconds, long memoryBytes) {
        return new Outcome(messages, messages, seconds, 0, 0, memoryBytes);
    }

    /** Returns the outcome of two simultaneous consumers together. */
    Outcome and(Outcome other) {
        return new Outcome(
                handled + other.handled,
                messages + other.messages,
                Math.max(seconds, other.seconds),
                Math.max(p50Micros, other.p50Micros),
                Math.max(p99Micros, other.p99Micros),
                memoryBytes + other.memoryBytes);
    }

    double rate() {
        return messages / seconds;
    }
}
