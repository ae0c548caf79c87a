package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StandIn;
import java.util.Optional;

/** Reads position, timestamp and raw bytes of a message. Thread-safe. */
public interface MessageReader<M> {

    /** Returns the position of the message; {@link Position#UNKNOWN} if it has none. */
    Position position(M message);

    /** Returns when the message was sent, in milliseconds since 1970 UTC; negative if that is unknown, as by default. */
    default long timestamp(M message) {
        return -1;
    }

    /**
     * Returns whether a share group delivered the message: in any order, beside others of its partition, so that it holds no other back. By default no message
     * was.
     */
    default boolean isShared(M message) {
        return false;
    }

    /**
     * Returns the key of the message, if it has one, as {@link KeyExtractor} does. Only called if the {@linkplain IdempotentConsumerBuilder#keyOrder()
     * order of keys} is kept.
     *
     * @throws IdempotencyException if this reader knows no keys, as by default
     */
    default Optional<?> key(M message) {
        throw new IdempotencyException("The reader of messages, " + getClass().getName()
                + ", knows no keys. Implement its method key(..), or name the place of the key by keyOrder(..)");
    }

    /**
     * Returns the raw bytes for the quarantine. Called outside any transaction: at the first failure of a message, or, if failures are
     * {@linkplain FailurePolicy#leaveToCaller left to the caller}, when the caller quarantines it. May read the bytes again from their source, in
     * bounded time. Never guesses a serializer.
     */
    Payload payload(M message);

    /**
     * Returns an id for a message without a usable one. It is the same at each delivery of this message, and differs from the id of any other
     * message, even of one at the same position after a topic was created again or a log truncated. By default it depends on the position alone.
     */
    default String standIn(M message) {
        return StandIn.of(position(message), null, null);
    }

    /**
     * Refuses a message whose copies may be in other partitions. Called if the store detects a duplicate only in the partition of the original.
     *
     * @throws io.idempotency.store.InvalidMessageIdException with the reason; the message then fails like one without an id
     */
    default void requireHome(M message) {}

    /** Returns a reader for messages from a source without positions and raw bytes. */
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
