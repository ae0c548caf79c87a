package io.idempotency.store;

/**
 * One arrival of a message.
 *
 * @param timestamp when the message was sent, in milliseconds since 1970 UTC, as Kafka says; negative if unknown. A store uses it to tell an old message
 *     from a message of a topic that was created again
 */
public record Delivery(MessageId id, Position position, long timestamp) {

    /** Returns a delivery of a message without a timestamp. */
    public Delivery(MessageId id, Position position) {
        this(id, position, -1);
    }

    /** Returns id and position, for messages and logs. */
    @Override
    public String toString() {
        return id + " at " + position;
    }
}
