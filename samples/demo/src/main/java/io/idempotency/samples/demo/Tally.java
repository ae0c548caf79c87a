package io.idempotency.samples.demo;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** What a consumer process has counted, passed on as a line of text. Thread-safe. */
final class Tally {

    /** What is counted. */
    enum Count {
        /** Records that polls have handed out, copies and repetitions included. */
        DELIVERIES,
        /** Messages whose handler ran and whose transaction committed. */
        PROCESSED,
        /** Duplicates skipped that came from the position where the message was processed. */
        REDELIVERIES,
        /** Duplicates skipped that came from another position. */
        RESENDS,
        /** Duplicates skipped of which the store no longer knows the position. */
        UNKNOWN,
        /** Messages put into quarantine, and copies of such messages. */
        QUARANTINED,
        /** Failures that the handler had for a reason of the business, in a poll or alone. */
        FAILURES,
        /** Failures of a message alone after which it was to be tried again. */
        RETRIED,
        /** Failures that said nothing about the message: deadlocks, lost sessions, waits that were too long. */
        TRANSIENT
    }

    private final Map<Count, AtomicLong> counts = Arrays.stream(Count.values())
            .collect(Collectors.toUnmodifiableMap(count -> count, count -> new AtomicLong()));

    void add(Count count) {
        of(count).incrementAndGet();
    }

    void set(Count count, long value) {
        of(count).set(value);
    }

    long get(Count count) {
        return of(count).get();
    }

    private AtomicLong of(Count count) {
        return Objects.requireNonNull(counts.get(count));
    }

    /** Returns the duplicates of all kinds. */
    long duplicates() {
        return get(Count.REDELIVERIES) + get(Count.RESENDS) + get(Count.UNKNOWN);
    }

    /** Returns a line that {@link #decode} reads. */
    String encode() {
        return Arrays.stream(Count.values())
                .map(count -> count.name().toLowerCase(Locale.ROOT) + "=" + get(count))
                .collect(Collectors.joining(" "));
    }

    static Tally decode(String line) {
        Tally tally = new Tally();
        for (String field : line.split(" ", -1)) {
            int equals = field.indexOf('=');
            Count count = Count.valueOf(field.substring(0, equals).toUpperCase(Locale.ROOT));
            tally.set(count, Long.parseLong(field.substring(equals + 1)));
        }
        return tally;
    }

    static Tally sum(Collection<Tally> tallies) {
        Tally sum = new Tally();
        for (Tally tally : tallies) {
            for (Count count : Count.values()) {
                sum.of(count).addAndGet(tally.get(count));
            }
        }
        return sum;
    }
}
