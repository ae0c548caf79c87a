package io.idempotency.benchmarks;

/**
 * What a contestant answers after a round.
 *
 * @param handled all messages that it handled
 * @param messages those that it handled while the clock was running
 * @param seconds how long that took
 * @param p50Micros how long half of the polls took at most to be handled, in microseconds
 * @param p99Micros how long all but one in a hundred took at most
 * @param memoryBytes what a journal store has in memory in the end
 */
record Outcome(long handled, long messages, double seconds, double p50Micros, double p99Micros, long memoryBytes) {

    /** Returns the outcome of something that is done once and has no polls. */
    static Outcome of(long messages, double seconds, long memoryBytes) {
        return new Outcome(messages, messages, seconds, 0, 0, memoryBytes);
    }

    /** Returns what two consumers did at the same time. */
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
