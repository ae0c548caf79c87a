package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/** What the levels share: settings, partitions in trouble, known duplicates, reports and failures. Thread-safe. */
final class Flow<M> {

    private final Settings<M> settings;
    private final Lanes lanes;
    private final KnownDuplicates known;
    private final Reports reports;
    private final Failures failures;

    Flow(Settings<M> settings, LongSupplier nanoTime) {
        this.settings = settings;
        this.lanes = new Lanes(nanoTime);
        this.known = new KnownDuplicates(settings.cache());
        this.reports = new Reports(settings.level(), settings.listener());
        this.failures = new Failures(settings, lanes, reports);
    }

    Settings<M> settings() {
        return settings;
    }

    Lanes lanes() {
        return lanes;
    }

    KnownDuplicates known() {
        return known;
    }

    Reports reports() {
        return reports;
    }

    Failures failures() {
        return failures;
    }

    static Outcome outcome(Claim claim) {
        return switch (claim.status()) {
            case GRANTED -> Outcome.PROCESSED;
            case DUPLICATE -> Outcome.DUPLICATE;
            case QUARANTINED -> Outcome.QUARANTINED;
            case IN_PROGRESS -> Outcome.IN_PROGRESS;
        };
    }

    /** Notes a message whose outcome has committed: caches it if it is processed, reports it. */
    void settled(Item<M> item, Outcome outcome, Optional<Duplicate> duplicate, long mark) {
        if (outcome == Outcome.PROCESSED || outcome == Outcome.DUPLICATE) {
            known.remember(item.delivery(), duplicate, mark);
        }
        if (outcome == Outcome.PROCESSED) {
            lanes.processed(item.lane(), item.delivery().id());
        } else {
            lanes.skipped(item.lane(), item.delivery().id());
        }
        reports.settled(item, outcome, 0, duplicate);
    }

    /** Stops the partition of a message that is leased to somebody else. */
    void inProgress(Poll<M> poll, Item<M> item) {
        if (poll.isOpen(item)) {
            Duration wait = lanes.waitForOther(item.lane());
            item.outcome(Outcome.IN_PROGRESS);
            poll.stop(item, wait, Optional.empty());
            reports.settled(item, Outcome.IN_PROGRESS, 0, Optional.empty());
        }
    }

    /** Charges a message that failed alone. */
    void charge(Poll<M> poll, Item<M> item, Throwable failure) {
        failures.charge(poll, item, failure, this::payload);
    }

    /** Charges a message that failed while its claim is held. The claim may count less: its attempts have an end. */
    void charge(Poll<M> poll, Item<M> item, Throwable failure, Claim held, int attempts) {
        int counted = lanes.countFailure(item.lane(), item.delivery().id(), attempts);
        failures.charge(poll, item, new Failures.Charge<>(failure, counted, Optional.of(held), this::payload));
    }

    /** Quarantines a message at the caller's decision. */
    void quarantine(Poll<M> poll, Item<M> item, Throwable failure) {
        failures.quarantine(poll, item, failure, this::payload);
    }

    /** Records a message whose claim is committed and whose handler failed. */
    void recordFailed(Item<M> item, Claim claim, Throwable failure) {
        failures.recordFailed(item, claim, failure, this::payload);
    }

    private Payload payload(M message) {
        return settings.reader().payload(message);
    }
}
