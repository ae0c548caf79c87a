package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A claim, and its message as it stands now, locked. */
record Held(Claim claim, @Nullable Row row) {

    Optional<Row> found() {
        return Optional.ofNullable(row);
    }

    /** Returns whether nobody has taken the lease, even if it ended. */
    boolean isOwned() {
        return row != null
                && row.state().status() == State.Status.LEASED
                && isSameAttempt(row)
                && row.at() == MessageTable.micros(claim.until());
    }

    /** Returns whether this very lease has settled the message before. */
    boolean isSettledByIt() {
        return row != null
                && row.state().isSettled()
                && isSameAttempt(row)
                && row.state().isSealedBy(MessageTable.micros(claim.until()) - row.at());
    }

    /** Returns whether this very lease has come to this end before. */
    boolean isFinished(State.Status status) {
        return row != null && row.state().status() == status && isSettledByIt();
    }

    Row as(State.Status status, Row from) {
        State state = new State(status, claim.attempt(), claim.starts(), 0);
        return from.with(sealed(state, from.now()), from.now());
    }

    State sealed(State state, long at) {
        return state.sealed(MessageTable.micros(claim.until()) - at);
    }

    private boolean isSameAttempt(Row other) {
        return other.state().attempt() == State.leased(claim.attempt(), 0).attempt();
    }
}
