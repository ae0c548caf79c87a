package io.idempotency;

import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineTotal;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after old messages in quarantine, each time it is run. Once an hour it warns of consumers whose oldest message is older than a given age. If it has a
 * retention, it drops messages that nobody has brought back for so long: with one audit record and one WARN for each consumer, never silently. By default
 * messages stay in quarantine for ever.
 *
 * <p>A purger runs it, so that one node at a time does: {@code Purger.of(store).afterwards(keeper)}. Run it on one thread at a time.
 */
public final class QuarantineKeeper implements Runnable {

    private static final Logger log = LoggerFactory.getLogger(QuarantineKeeper.class);
    private static final Duration BETWEEN_WARNINGS = Duration.ofHours(1);

    private final QuarantineStore quarantine;
    private final Operations operations;
    private final Duration warningAge;
    private final Optional<Duration> retention;
    private final LongSupplier nanoTime;
    private @Nullable Long warnedNanos;

    private QuarantineKeeper(
            QuarantineStore quarantine,
            Operations operations,
            Duration warningAge,
            Optional<Duration> retention,
            LongSupplier nanoTime) {
        this.quarantine = quarantine;
        this.operations = operations;
        this.warningAge = warningAge;
        this.retention = retention;
        this.nanoTime = nanoTime;
    }

    /**
     * Returns a keeper that warns, and drops nothing.
     *
     * @param warningAge the age of a message that is worth a warning, such as the retention of ids
     * @throws IdempotencyException if the age is not positive
     */
    public static QuarantineKeeper of(
            ClaimStore store, QuarantineStore quarantine, AuditStore audit, Duration warningAge) {
        requirePositive("age of a warning", warningAge);
        Operations operations = Operations.of(store, quarantine, audit).as("purger", "purge");
        return new QuarantineKeeper(quarantine, operations, warningAge, Optional.empty(), System::nanoTime);
    }

    /**
     * Returns a keeper that also drops messages that were quarantined longer ago.
     *
     * @throws IdempotencyException if the time is not positive
     */
    public QuarantineKeeper droppingAfter(Duration time) {
        requirePositive("retention of the quarantine", time);
        return new QuarantineKeeper(quarantine, operations, warningAge, Optional.of(time), nanoTime);
    }

    QuarantineKeeper nanoTime(LongSupplier clock) {
        return new QuarantineKeeper(quarantine, operations, warningAge, retention, clock);
    }

    private static void requirePositive(String what, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IdempotencyException("The " + what + " must be positive, not " + duration);
        }
    }

    /** Drops what is too old, and warns of what is old. */
    @Override
    public void run() {
        retention.ifPresent(time -> quarantine.totals().forEach((consumer, total) -> drop(consumer, total, time)));
        warn(quarantine.totals());
    }

    /** Drops what is old by the clocks of both the process and the store. */
    private void drop(String consumer, QuarantineTotal total, Duration time) {
        Instant here = Instant.now();
        Instant there = total.oldest().plus(total.age());
        Instant before = (here.isBefore(there) ? here : there).minus(time);
        if (!total.oldest().isBefore(before)) {
            return;
        }
        long dropped = operations.dropOlderThan(
                consumer, before, "nobody has brought them back within the retention, " + time);
        if (dropped > 0) {
            log.warn(
                    "Dropped {} message(s) of {} that were in quarantine for longer than {}, and that nobody has brought back. Copies of"
                            + " them are skipped.",
                    dropped,
                    consumer,
                    time);
        }
    }

    private void warn(Map<String, QuarantineTotal> totals) {
        Map<String, String> old = new TreeMap<>();
        totals.forEach((consumer, total) -> {
            if (total.age().compareTo(warningAge) > 0) {
                old.put(consumer, total.messages() + " since " + total.oldest());
            }
        });
        Long last = warnedNanos;
        long now = nanoTime.getAsLong();
        if (!old.isEmpty() && (last == null || now - last >= BETWEEN_WARNINGS.toNanos())) {
            warnedNanos = now;
            log.warn("Messages are in quarantine for longer than {}: {}. Replay or drop them.", warningAge, old);
        }
    }
}
