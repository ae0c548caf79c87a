package io.idempotency;

import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StandIn;

/** Reads from a message what the flow needs beside its id. Thread-safe. */
public interface MessageReader<M> {

    /** Returns where the message stood; {@link Position#UNKNOWN} where there are no positions. */
    Position position(M message);

    /**
     * Returns the raw bytes for the quarantine. Called at the first failure of a message, or if that is {@linkplain FailurePolicy#leaveToCaller
     * left to the caller} when he quarantines it, outside any transaction; may read them again from their source, bounded in time. Never guesses a
     * serializer.
     */
    Payload payload(M message);

    /**
     * Returns an id for a message that has none which can be used: the same at each delivery of the message, and of no other one, also if that
     * stands at the same position once a topic was created again or a log was cut. By default of the position alone.
     */
    default String standIn(M message) {
        return StandIn.of(position(message), null, null);
    }

    /**
     * Refuses a message whose copies need not be in its partition. Called where the store knows copies only there.
     *
     * @throws io.idempotency.store.InvalidMessageIdException with the reason; the message then fails as one without an id does
     */
    default void requireHome(M message) {}

    /** Returns a reader for messages from somewhere without positions and raw bytes. */
    static <M> MessageReader<M> withoutPosition() {
        return new MessageReader<>() {
            @Override
            public Position position(M message) {
                return Position.UNKNOWN;
            }

            @Override
            public Payload payload(M message) {
                return Payload.none(Payload.Origin.POSITION_ONLY);
            }
        };
    }
}
