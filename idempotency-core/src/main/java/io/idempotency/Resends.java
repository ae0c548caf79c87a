package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.StandIn;
import io.idempotency.store.StandStillException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks the messages of a chunk that were sent again, after its transaction and before they count as settled. Thread-safe. */
final class Resends<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** How long a message waits that could not be compared yet. */
    private static final Duration LATER = Duration.ofMillis(200);

    private final Flow<M> flow;
    private final Optional<ResendCheck<? super M>> check;

    Resends(Flow<M> flow) {
        this.flow = flow;
        this.check = flow.settings().messages().resends();
    }

    /** Has the messages of a call come here before they count as settled. */
    void await(List<Item<M>> items) {
        if (check.isPresent()) {
            items.forEach(Item::awaitResendCheck);
        }
    }

    /** Returns whether a known duplicate is to be checked, when the messages before it are settled. */
    boolean concern(Duplicate duplicate) {
        return check.isPresent() && duplicate.kind() == Duplicate.Kind.RESEND;
    }

    /** Settles the messages of a chunk that were sent again, or leaves them. Those behind an unsettled one are left without a comparison. */
    void check(Poll<M> poll, List<Item<M>> chunk) {
        if (check.isEmpty()) {
            return;
        }
        Set<Lane> unsettled = new HashSet<>();
        for (Item<M> item : chunk) {
            Optional<Duplicate> resend = item.takeResend();
            if (resend.isPresent()
                    && (unsettled.contains(item.lane()) || !isSettled(poll, item, resend.get(), check.get()))) {
                item.reopen();
            }
            if (item.outcome() == null) {
                unsettled.add(item.lane());
            }
        }
    }

    private boolean isSettled(Poll<M> poll, Item<M> item, Duplicate resend, ResendCheck<? super M> with) {
        ResendCheck.Result result = poll.isOutOfTime() ? ResendCheck.Result.UNCHECKED : compare(item, resend, with);
        boolean isStrict = with.policy() != ResendCheck.Policy.SKIP;
        if (result == ResendCheck.Result.UNCHECKED && isStrict) {
            poll.stop(item, poll.isOutOfTime() ? Duration.ZERO : LATER, Optional.empty());
            return false;
        }
        flow.reports().compared(item, resend.first(), result);
        if (result == ResendCheck.Result.DIFFERENT && isStrict) {
            return with.policy() == ResendCheck.Policy.FAIL
                    ? stop(poll, item, resend)
                    : quarantine(poll, item, new PayloadMismatchException(item.delivery(), resend.first()));
        }
        flow.reportSettled(item, Outcome.DUPLICATE, Optional.of(resend));
        return true;
    }

    private ResendCheck.Result compare(Item<M> item, Duplicate resend, ResendCheck<? super M> with) {
        try {
            return with.compare(item.message(), resend);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "{} cannot be compared with the message at {}.",
                    item.delivery(),
                    resend.first(),
                    FailureText.loggable(e));
            return ResendCheck.Result.UNKNOWN;
        }
    }

    private boolean stop(Poll<M> poll, Item<M> item, Duplicate resend) {
        String reason = "another message has the id of the one at " + resend.first();
        StandStillException why = new StandStillException(
                reason,
                item.delivery() + " is another message than the one at " + resend.first()
                        + ", which was processed with the same id");
        log.error(
                "Partition {} stands still at {}: {}. It is tried again every {} s. Have the check skip or quarantine such messages, or set the"
                        + " offset behind it.",
                item.lane(),
                item.delivery(),
                reason,
                IdempotentConsumer.STAND_STILL.toSeconds());
        poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(why));
        flow.reports().failed(item, Outcome.RELEASED, 0, why);
        return false;
    }

    /** Quarantines the message under an id of its own, because its id is processed. */
    private boolean quarantine(Poll<M> poll, Item<M> item, PayloadMismatchException mismatch) {
        MessageReader<? super M> reader = flow.settings().messages().reader();
        Delivery delivery = item.delivery();
        MessageId own = new MessageId(delivery.id().consumer(), StandIn.ofOtherPayload(reader.standIn(item.message())));
        Item<M> alone = new Item<>(
                item.index(),
                item.message(),
                new Delivery(own, delivery.position(), delivery.timestamp()),
                item.lane(),
                new Reading.Read(mismatch, null));
        alone.keyHash(item.keyHash());
        Quarantining quarantining = flow.charging().quarantining();
        if (quarantining.isSettled(alone, mismatch)) {
            flow.lanes().blockedKeys().block(alone.lane(), alone.keyHash());
            flow.reports().settled(alone, Outcome.QUARANTINED, 0, Optional.empty());
            item.outcome(Outcome.QUARANTINED);
            return true;
        }
        Charge<M> charge = new Charge<>(mismatch, 0, Optional.empty(), reader::payload);
        quarantining.quarantine(poll, alone, charge);
        Outcome outcome = alone.outcome();
        if (outcome != null) {
            item.outcome(outcome);
        }
        return outcome != null;
    }
}
