package io.idempotency.samples.demo;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** The counts of a consumer process, also as a line of text. Thread-safe. */
final class Tally {

    /** The things that are counted. */
    enum Count {
        /** Records that polls returned, with copies and redeliveries. */
        DELIVERIES,
        /** Messages whose handler ran and whose transaction committed. */
        PROCESSED,
        /** Skipped duplicates at the position where the message was processed. */
        REDELIVERIES,
        /** Skipped duplicates at another position. */
        RESENDS,
        /** Skipped duplicates whose position the store no longer knows. */
        UNKNOWN,
        /** Messages put into quarantine, and copies of such messages. */
        QUARANTINED,
        /** Occasional failures of the handler, in a poll or alone. */
        FAILURES,
        /** Failures of a message alone that led to a retry. */
        RETRIED,
        /** Transient failures: deadlocks, lost sessions, timeouts. */
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
