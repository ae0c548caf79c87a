package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransactionRunner;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Settles messages that failed for good, and keeps them where there is a quarantine. Thread-safe. */
final class Quarantining {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final Optional<QuarantineStore> quarantine;
    private final boolean keepPayloads;
    private final Draining draining;
    private final Lanes lanes;
    private final Reports reports;
    private final TransientStops transients;
    private final ChargedStops stops;

    Quarantining(Settings<?> settings, Lanes lanes, Draining draining, TransientStops transients, ChargedStops stops) {
        this.store = settings.storage().store();
        this.transactions = settings.storage().transactions();
        this.quarantine = settings.failures().quarantine();
        this.keepPayloads = settings.failures().keepPayloads();
        this.draining = draining;
        this.lanes = lanes;
        this.reports = stops.reports();
        this.transients = transients;
        this.stops = stops;
    }

    /** Returns whether there is a quarantine store. */
    boolean isPossible() {
        return quarantine.isPresent();
    }

    /** Returns the bytes of the message. They are read at its first failure, because they may be gone later. */
    <T> Payload kept(Item<T> item, Charge<T> charge) {
        return lanes.payload(item.lane(), item.delivery().id(), () -> payload(item, charge.reader()));
    }

    /** Quarantines a message in a transaction with its claim, the one that is held or one of its own. Settles it, or stops its partition. */
    <T> void quarantine(Poll<T> poll, Item<T> item, Charge<T> charge) {
        QuarantineStore into = quarantine.orElseThrow();
        QuarantinedMessage message = new QuarantinedMessage(
                item.delivery(),
                kept(item, charge),
                FailureText.forQuarantine(charge.failure()),
                charge.attempts(),
                item.keyHash(),
                false);
        // Before the commit, whose answer may be lost.
        lanes.blockedKeys().block(item.lane(), item.keyHash());
        Settling settling = new Settling();
        try {
            transactions.inTransaction(() -> {
                Claim claim = charge.held()
                        .orElseGet(() -> store.claim(List.of(item.delivery())).get(0));
                settling.claim = Optional.of(claim);
                if (claim.isGranted()) {
                    store.quarantine(claim);
                    into.save(message);
                }
                store.transactions().afterCommit(() -> settling.isCommitted = true);
            });
        } catch (ClaimLostException e) {
            log.debug("Another attempt decides. {}", e.getMessage());
            reports.lost(e.lost());
            stops.stop(poll, item, lanes.waitForOther(item.lane()), charge);
            return;
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            if (e != charge.failure()) {
                e.addSuppressed(charge.failure());
            }
            if (transients.isTransient(e)) {
                transients.stop(poll, List.of(item), e);
            } else {
                log.error("{} cannot be quarantined.", item.delivery(), FailureText.loggable(e));
                stops.standStill(
                        poll,
                        item,
                        charge,
                        "it cannot be quarantined: " + FailureText.line(e) + ". " + ChargedStops.MEND);
            }
            return;
        }
        settle(poll, item, charge, settling, () -> reports.quarantined(message, into, charge.failure()));
    }

    private <T> void settle(Poll<T> poll, Item<T> item, Charge<T> charge, Settling settling, Runnable told) {
        Claim claim = settling.claim.orElseThrow();
        if (!settling.isCommitted || claim.status() == Claim.Status.IN_PROGRESS) {
            stops.stop(poll, item, lanes.waitForOther(item.lane()), charge);
        } else if (claim.status() == Claim.Status.DUPLICATE) {
            item.outcome(Outcome.DUPLICATE);
            lanes.skipped(item.lane(), item.delivery().id());
            reports.settled(item, Outcome.DUPLICATE, 0, Reports.duplicate(claim));
        } else {
            item.outcome(Outcome.QUARANTINED);
            draining.quarantined(item, charge.failure());
            reports.failed(item, Outcome.QUARANTINED, charge.attempts(), charge.failure());
            told.run();
        }
    }

    private static final class Settling {
        private Optional<Claim> claim = Optional.empty();
        private boolean isCommitted;
    }

    /**
     * Records a message whose claim is committed and whose handler failed; it is never handled again. If the record fails, too, the log has
     * all that is known.
     */
    <T> void recordFailed(Item<T> item, Claim claim, Throwable failure, Function<? super T, Payload> reader) {
        Payload payload = quarantine.isPresent() ? payload(item, reader) : Payload.none(Payload.Origin.SWITCHED_OFF);
        log.atLevel(quarantine.isPresent() ? Level.WARN : Level.ERROR)
                .setCause(FailureText.loggable(failure))
                .log(
                        "The handler of {} failed. It does not run again, because the level is AT_MOST_ONCE. The message is kept in {}, {}.{}",
                        item.delivery(),
                        quarantine.<Object>map(into -> into).orElse("this line only"),
                        Reports.bytes(payload, item.delivery().position()),
                        quarantine
                                .map(into -> Reports.look(into, item.delivery()))
                                .orElse(""));
        QuarantinedMessage message = new QuarantinedMessage(
                item.delivery(), payload, FailureText.forQuarantine(failure), 1, item.keyHash(), false, true);
        lanes.blockedKeys().block(item.lane(), item.keyHash());
        try {
            transactions.inTransaction(() -> {
                store.quarantine(claim);
                quarantine.ifPresent(into -> into.save(message));
            });
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.error(
                    "The failure of {} could not be recorded in the quarantine.",
                    item.delivery(),
                    FailureText.loggable(e));
        }
        item.outcome(Outcome.QUARANTINED);
        draining.quarantined(item, failure);
        reports.failed(item, Outcome.QUARANTINED, 1, failure);
    }

    /** Returns whether a message that is charged without a claim is settled already. */
    boolean isSettled(Item<?> item, Throwable failure) {
        try {
            return store.find(item.delivery().id()).isPresent();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
            return false;
        }
    }

    private <T> Payload payload(Item<T> item, Function<? super T, Payload> reader) {
        return keepPayloads ? read(item, reader) : Payload.none(Payload.Origin.SWITCHED_OFF);
    }

    /** Returns the bytes of the message. If they cannot be read, the log warns, and only the position is kept. */
    static <T> Payload read(Item<T> item, Function<? super T, Payload> reader) {
        try {
            return Objects.requireNonNull(reader.apply(item.message()));
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The bytes of {} cannot be read for the quarantine; only its position is kept.",
                    item.delivery(),
                    FailureText.loggable(e));
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    }
}
