package io.idempotency.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * A row of the message table.
 *
 * @param at when it was settled or released, or when its lease ends, in microseconds since 1970 UTC
 * @param place the partition of the stream of its delivery, see {@link Names#place}
 * @param now the database's clock when the row was read, in microseconds since 1970 UTC
 * @param isGranted whether the statement that returned this row made it the caller's
 */
record MessageRow(MessageKey key, long at, MessageState state, long offset, long place, long now, boolean isGranted) {

    /**
     * How long a claim that was committed without a proof belongs to its owner, who may be alive and prove it later. Kafka waits for a consumer that does
     * not poll for the same time, by default.
     */
    static final long UNPROVED_MICROS = 300_000_000;

    /** Returns whether nobody owns the message: it was released, its lease ended, or its claim was not proved in time. */
    boolean isFree() {
        return state.status() == MessageState.Status.RELEASED
                || (state.status() == MessageState.Status.LEASED && until() <= now);
    }

    /** Returns until when somebody owns the message, if it is leased or its claim is not proved. */
    long until() {
        return state.isUnproved() ? at + UNPROVED_MICROS : at;
    }

    /** Returns whether the row exists and is decided: granted to the caller, owned by another, or settled. */
    static boolean isAnswered(@Nullable MessageRow row) {
        return row != null && (row.isGranted() || !row.isFree());
    }

    MessageRow with(MessageState newState, long newAt) {
        return new MessageRow(key, newAt, newState, offset, place, now, isGranted);
    }

    MessageRow granted(MessageArrival arrival, MessageState newState, long newAt) {
        return new MessageRow(key, newAt, newState, arrival.offset(), arrival.place(), now, true);
    }
}
