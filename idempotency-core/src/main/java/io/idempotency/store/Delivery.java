package io.idempotency.store;

/** One arrival of a message: its id and its position. */
public record Delivery(MessageId id, Position position) {

    @Override
    public String toString() {
        return id + " at " + position;
    }
}
