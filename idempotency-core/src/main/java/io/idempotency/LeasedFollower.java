package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Decides about a leased message that may stand behind another one of its key in quarantine. Confined to the consuming thread. */
final class LeasedFollower<M> {

    private final Flow<M> flow;
    private final KeyOrder<M> order;
    private final Poll<M> poll;
    private final HeldLeases leases;
    private final Item<M> item;
    private Optional<BehindQuarantineException> why = Optional.empty();
    private boolean isCommitted;

    LeasedFollower(Flow<M> flow, Poll<M> poll, HeldLeases leases, Item<M> item) {
        this.flow = flow;
        this.order = flow.keyOrder().orElseThrow();
        this.poll = poll;
        this.leases = leases;
        this.item = item;
    }

    /** Returns whether the handler must not run: the message is in quarantine now, or its partition is stopped. */
    boolean isHeldBack() {
        Payload payload = order.payload(item);
        Claim lease = leases.take(item.delivery());
        if (lease == null) {
            poll.stop(item, Duration.ZERO, Optional.empty());
            return true;
        }
        try {
            flow.settings().storage().transactions().inTransaction(() -> decide(lease, payload));
        } catch (ClaimLostException lost) {
            poll.stop(item, Duration.ZERO, Optional.empty());
            return true;
        } catch (RuntimeException e) {
            leases.putBack(lease);
            if (!flow.transients().isTransient(e)) {
                throw StoreFailure.of(List.of(item), e);
            }
            flow.transients().stop(poll, List.of(item), e);
            return true;
        }
        return conclude(lease);
    }

    private void decide(Claim lease, Payload payload) {
        isCommitted = false;
        why = order.before(item).map(BehindQuarantineException::new);
        why.ifPresent(reason -> order.hold(item, lease, payload, reason));
        flow.settings().storage().store().transactions().afterCommit(() -> isCommitted = true);
    }

    private boolean conclude(Claim lease) {
        if (why.isEmpty()) {
            leases.putBack(lease);
            order.keys().free(item.lane(), item.keyHash());
        } else if (isCommitted) {
            item.outcome(Outcome.QUARANTINED);
            flow.heldBack(item, why.get());
        } else {
            leases.putBack(lease);
            poll.stop(item, Duration.ZERO, Optional.empty());
        }
        return why.isPresent();
    }
}
