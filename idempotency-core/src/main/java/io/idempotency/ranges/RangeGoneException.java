package io.idempotency.ranges;

import io.idempotency.store.IdempotencyException;

/** Records of a range that is not done are no longer in Kafka, so it cannot be written again. Its partition stands still. */
public final class RangeGoneException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    public RangeGoneException(Range range, String why) {
        super("The range " + range + " of consumer " + range.consumer()
                + " was recorded, perhaps written, and cannot be written again: " + why
                + ". Look for its token in the sink. If all its records are there, or are loaded in another way, end it by"
                + " RangeStore.done(range); then its partition goes on");
    }
}
