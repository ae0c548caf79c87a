package io.idempotency.store;

/** One arrival of a message: which message, and where it stood. */
public record Delivery(MessageId id, Position position) {

    @Override
    public String toString() {
        return id + " at " + position;
    }
}
