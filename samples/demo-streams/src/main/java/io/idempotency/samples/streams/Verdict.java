package io.idempotency.samples.streams;

import java.util.Arrays;

/**
 * What came out of a run.
 *
 * @param records what was sent, copies included
 * @param unique the payments
 * @param outputs all outputs that a consumer with {@code read_committed} sees
 * @param lost payments without an output
 * @param again outputs beyond the first one of a payment
 * @param fromCopies outputs that were made of a copy
 */
record Verdict(String guarantee, int records, int unique, int outputs, int lost, int again, int fromCopies) {

    static Verdict of(String guarantee, int records, int[] outputs, int total, int fromCopies) {
        int lost = (int) Arrays.stream(outputs).filter(count -> count == 0).count();
        int again = Arrays.stream(outputs).map(count -> Math.max(0, count - 1)).sum();
        return new Verdict(guarantee, records, outputs.length, total, lost, again, fromCopies);
    }

    /** Under {@code at_least_once} Kafka Streams itself repeats records that it has not committed. */
    boolean isGood() {
        boolean mayRepeat = guarantee.equals("at_least_once");
        return lost == 0 && fromCopies == 0 && (mayRepeat || again == 0);
    }

    String line() {
        return "verdict: " + guarantee
                + " records=" + records
                + " unique=" + unique
                + " outputs=" + outputs
                + " lost=" + lost
                + " double=" + (guarantee.equals("at_least_once") ? fromCopies : again)
                + " of-copies=" + fromCopies
                + " processed-again=" + again;
    }
}
