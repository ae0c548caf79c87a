package io.idempotency.outbox;

/** Is told what a relay does, on its thread. */
public interface OutboxListener {

    /** Outputs were acknowledged by Kafka, and deleted. */
    default void onSent(int outputs) {}

    /** Kafka refused an output for good, and it was set aside. */
    default void onRefused(StoredOutput output, String reason) {}

    /**
     * Outputs could not be sent for now, or the database could not be asked. The relay tries again.
     *
     * @param inARow how often that happened without a round that succeeded in between
     */
    default void onFailed(Throwable failure, int inARow) {}
}
