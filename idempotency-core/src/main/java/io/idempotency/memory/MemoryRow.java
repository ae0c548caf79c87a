package io.idempotency.memory;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The state of one message in the memory store.
 *
 * @param until the end of the lease; of a released one, when it was released; {@link Instant#EPOCH} of a claim without lease
 * @param at when the message was settled; {@link Instant#EPOCH} as long as it is not
 */
record MemoryRow(State state, int attempt, int starts, Instant until, Position position, Instant at) {

    enum State {
        LEASED,
        RELEASED,
        PROCESSED,
        EXPIRED,
        QUARANTINED,
        DROPPED
    }

    static MemoryRow processed(Position position, Instant now) {
        return new MemoryRow(State.PROCESSED, 1, 0, Instant.EPOCH, position, now);
    }

    static MemoryRow leased(Claim lease) {
        return new MemoryRow(
                State.LEASED,
                lease.attempt(),
                lease.starts(),
                lease.until(),
                lease.delivery().position(),
                Instant.EPOCH);
    }

    MemoryRow renewed(Instant newUntil) {
        return new MemoryRow(state, attempt, starts, newUntil, position, at);
    }

    MemoryRow released(int startedHandlers, Instant now) {
        return new MemoryRow(State.RELEASED, attempt, startedHandlers, now, position, at);
    }

    MemoryRow completed(Instant now) {
        return new MemoryRow(State.PROCESSED, attempt, starts, until, position, now);
    }

    MemoryRow expired(Instant now) {
        return new MemoryRow(State.EXPIRED, attempt, starts, until, position, now);
    }

    MemoryRow quarantined(Position where, Instant now) {
        return new MemoryRow(State.QUARANTINED, attempt, starts, until, where, now);
    }

    MemoryRow dropped(Instant now) {
        return new MemoryRow(State.DROPPED, attempt, starts, Instant.EPOCH, position, now);
    }

    boolean isLeased() {
        return state == State.LEASED;
    }

    /** Returns whether it is settled for good and was never in quarantine. */
    boolean isProcessed() {
        return state == State.PROCESSED || state == State.EXPIRED;
    }

    boolean isQuarantined() {
        return state == State.QUARANTINED;
    }

    boolean isSettled() {
        return isProcessed() || isQuarantined() || state == State.DROPPED;
    }

    boolean isLive(Instant now) {
        return isLeased() && until.isAfter(now);
    }

    /** A lease is its attempt and its own end: the attempt alone comes again when the row was forgotten in between. */
    boolean isLeaseOf(Claim claim) {
        return state != State.RELEASED && attempt == claim.attempt() && until.equals(claim.until());
    }

    /** Returns the moment from which the retention counts. */
    Instant lastUse() {
        return isSettled() ? at : until;
    }

    Processed processed(Instant now) {
        return new Processed(position, at, Duration.between(at, now));
    }

    /** Returns what a settled message answers to one more delivery. */
    Claim answer(Delivery delivery, Instant now) {
        return isQuarantined()
                ? Claim.quarantined(delivery, Optional.of(processed(now)))
                : Claim.duplicate(delivery, Optional.of(processed(now)));
    }
}
