package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A claim together with the locked, current row of its message. */
record LockedLease(Claim claim, @Nullable MessageRow row) {

    Optional<MessageRow> found() {
        return Optional.ofNullable(row);
    }

    /** Returns whether no other attempt has taken the lease, even if it has ended. */
    boolean isOwned() {
        return row != null
                && row.state().status() == MessageState.Status.LEASED
                && isSameAttempt(row)
                && row.at() == StoredTime.micros(claim.until());
    }

    /** Returns whether this lease has settled the message already. */
    boolean isSettledByIt() {
        return row != null
                && row.state().isSettled()
                && isSameAttempt(row)
                && row.state().isSealedBy(StoredTime.micros(claim.until()) - row.at());
    }

    /** Returns whether this lease has ended with this status already. */
    boolean isFinished(MessageState.Status status) {
        return row != null && row.state().status() == status && isSettledByIt();
    }

    MessageRow as(MessageState.Status status, MessageRow from) {
        MessageState state = new MessageState(status, claim.attempt(), claim.starts(), 0);
        return from.with(sealed(state, from.now()), from.now());
    }

    MessageState sealed(MessageState state, long at) {
        return state.sealed(StoredTime.micros(claim.until()) - at);
    }

    private boolean isSameAttempt(MessageRow other) {
        return other.state().attempt()
                == MessageState.leased(claim.attempt(), 0).attempt();
    }
}
