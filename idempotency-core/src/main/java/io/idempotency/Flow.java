package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds the parts that all levels use: settings, partitions in trouble, known duplicates, reports and the treatment of failures. Thread-safe. */
final class Flow<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Settings<M> settings;
    private final LongSupplier nanoTime;
    private final Lanes lanes;
    private final Suspects suspects = new Suspects();
    private final KnownDuplicates known;
    private final Expiries expiries;
    private final Reports reports;
    private final TransientStops transients;
    private final Charging charging;
    private final Optional<KeyOrder<M>> keyOrder;

    Flow(Settings<M> settings, Clockwork clockwork) {
        this.settings = settings;
        this.nanoTime = clockwork.nanoTime();
        this.lanes = new Lanes(clockwork);
        this.known = new KnownDuplicates(settings.name(), settings.storage().cache());
        this.expiries = new Expiries(settings.storage().store(), nanoTime);
        this.reports = new Reports(settings, nanoTime);
        this.transients = new TransientStops(settings.storage().store(), lanes, reports);
        this.charging = new Charging(settings, lanes, reports, transients);
        this.keyOrder = KeyOrder.of(settings, lanes.blockedKeys());
    }

    Settings<M> settings() {
        return settings;
    }

    LongSupplier nanoTime() {
        return nanoTime;
    }

    Lanes lanes() {
        return lanes;
    }

    Suspects suspects() {
        return suspects;
    }

    KnownDuplicates known() {
        return known;
    }

    Expiries expiries() {
        return expiries;
    }

    Reports reports() {
        return reports;
    }

    TransientStops transients() {
        return transients;
    }

    Charging charging() {
        return charging;
    }

    /** Returns the order of keys, if it is kept. */
    Optional<KeyOrder<M>> keyOrder() {
        return keyOrder;
    }

    /** Notes that a quarantined message blocks its key: a former owner may have quarantined it after the keys were read. */
    void noteBlocked(Item<M> item, Claim claim) {
        if (claim.status() == Claim.Status.QUARANTINED) {
            lanes.blockedKeys().block(item.lane(), item.keyHash());
        }
    }

    /** Notes for the order of keys how far a partition is settled, after a message that came alone. */
    void advance(Item<?> item) {
        Outcome outcome = item.outcome();
        if (outcome != null && outcome.isSettled()) {
            long offset = item.delivery().position().offset();
            lanes.blockedKeys().settled(item.lane(), offset, offset);
        }
    }

    /** Notes a message whose quarantine behind an earlier one of its key has committed. */
    void heldBack(Item<M> item, BehindQuarantineException why) {
        lanes.skipped(item.lane(), item.delivery().id());
        if (!suspects.isEmpty()) {
            suspects.settled(item);
        }
        log.info("Quarantined {} without a call of its handler. {}.", item.delivery(), FailureText.message(why));
        reports.failed(item, Outcome.QUARANTINED, 0, why);
    }

    static Outcome outcome(Claim claim) {
        return switch (claim.status()) {
            case GRANTED -> Outcome.PROCESSED;
            case DUPLICATE -> Outcome.DUPLICATE;
            case QUARANTINED -> Outcome.QUARANTINED;
            case IN_PROGRESS -> Outcome.IN_PROGRESS;
        };
    }

    /** Notes a message whose outcome has committed: caches it if it is processed or expired, reports it unless it is to be checked first. */
    void settled(Item<M> item, Outcome outcome, Optional<Duplicate> duplicate, long mark) {
        if (outcome == Outcome.PROCESSED || outcome == Outcome.DUPLICATE || outcome == Outcome.EXPIRED) {
            known.remember(item.delivery(), duplicate, mark);
        }
        if (duplicate.filter(item::deferResend).isEmpty()) {
            reportSettled(item, outcome, duplicate);
        }
    }

    /** Notes messages that were processed together, once that has committed. */
    void processed(List<Item<M>> items, List<Delivery> deliveries, long mark) {
        known.remember(deliveries, mark);
        if (lanes.isEmpty() && suspects.isEmpty()) {
            reports.processed(items);
        } else {
            items.forEach(item -> reportSettled(item, Outcome.PROCESSED, Optional.empty()));
        }
    }

    /** Notes a message that is settled and not remembered. */
    void settledUnremembered(Item<M> item, Outcome outcome) {
        reportSettled(item, outcome, Optional.empty());
    }

    /** Reports a message that is settled. */
    void reportSettled(Item<M> item, Outcome outcome, Optional<Duplicate> duplicate) {
        if (outcome == Outcome.PROCESSED) {
            lanes.processed(item.lane(), item.delivery().id());
        } else {
            lanes.skipped(item.lane(), item.delivery().id());
        }
        if (!suspects.isEmpty()) {
            suspects.settled(item);
        }
        reports.settled(item, outcome, 0, duplicate);
    }

    /** Stops the partition of a message that another owner holds. */
    void inProgress(Poll<M> poll, Item<M> item) {
        if (poll.isOpen(item)) {
            Duration wait = lanes.waitForOther(item.lane());
            item.outcome(Outcome.IN_PROGRESS);
            poll.stop(item, wait, Optional.empty());
            reports.inProgress(item, wait);
        }
    }

    /** Returns why the message is not handled at all: it cannot be read, or its handler named it before and it is still open. */
    Optional<Throwable> knownFailure(Item<M> item) {
        if (item.unreadable().isPresent() || suspects.isEmpty()) {
            return item.unreadable();
        }
        return suspects.takeNamed(item).filter(named -> !charging.quarantining().isSettled(item, named));
    }

    /** Charges a message that failed alone, or that its handler named. */
    void charge(Poll<M> poll, Item<M> item, Throwable failure) {
        suspects.charged(item);
        charging.charge(poll, item, failure, this::payload);
    }

    /** Charges a message that failed while its claim is held. The claim may count less: its attempts have an end. */
    void charge(Poll<M> poll, Item<M> item, Throwable failure, Claim held, int attempts) {
        suspects.charged(item);
        int counted = lanes.countFailure(item.lane(), item.delivery().id(), attempts);
        charging.charge(poll, item, new Charge<>(failure, counted, Optional.of(held), this::payload));
    }

    /**
     * Leaves messages that failed together. A handler may have changed their objects, so none is handled again in this call. They are
     * redelivered at once, in smaller transactions; other partitions go on.
     *
     * @param handed those that the handler was given
     */
    void leave(Poll<M> poll, List<Item<M>> handed, int among, Throwable failure) {
        poll.failedTogether(among);
        if (handed.isEmpty()) {
            return;
        }
        if (log.isDebugEnabled()) {
            log.debug(
                    "{} failed together and will be delivered again.",
                    Item.named(handed),
                    FailureText.loggable(failure));
        }
        Poll.firstOfEachLane(handed).forEach(item -> poll.stop(item, Duration.ZERO, Optional.of(failure)));
    }

    /** Quarantines a message, because the caller decided so. */
    void quarantine(Poll<M> poll, Item<M> item, Throwable failure, int counted) {
        charging.quarantine(poll, item, failure, counted, this::payload);
    }

    /** Stops the partition of a message that must not be claimed yet, because too many before it failed in the same way. Returns whether it did. */
    boolean pauses(Poll<M> poll, Item<M> item) {
        return charging.pauses(poll, item);
    }

    /** Records a message whose claim is committed and whose handler failed. */
    void recordFailed(Item<M> item, Claim claim, Throwable failure) {
        charging.quarantining().recordFailed(item, claim, failure, this::payload);
    }

    private Payload payload(M message) {
        return settings.messages().reader().payload(message);
    }
}
