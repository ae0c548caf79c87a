package io.idempotency;

import io.idempotency.store.Delivery;

/** Is told of every consumption, on the consuming thread. What it throws is logged and changes nothing, but for errors of the virtual machine. */
@FunctionalInterface
public interface ConsumptionListener {

    void onConsumption(Consumption consumption);

    /** Is told of a partition that was given up: somebody else consumes it from now on. */
    default void onRevoked(String consumer, String stream, int partition) {}

    /**
     * Is told that the handler of a message, or of one consumed together with it, ended the transaction of the claim itself. No message is lost or handled
     * twice by that as long as the process lives; if it dies between that commit and its own, what the handler had committed happens again.
     */
    default void onEarlyCommit(Delivery first) {}

    /** Returns a listener that tells both, this one first, and the next one even if this one fails. */
    default ConsumptionListener andThen(ConsumptionListener next) {
        ConsumptionListener before = this;
        return new ConsumptionListener() {
            @Override
            public void onConsumption(Consumption consumption) {
                try {
                    before.onConsumption(consumption);
                } finally {
                    next.onConsumption(consumption);
                }
            }

            @Override
            public void onRevoked(String consumer, String stream, int partition) {
                try {
                    before.onRevoked(consumer, stream, partition);
                } finally {
                    next.onRevoked(consumer, stream, partition);
                }
            }

            @Override
            public void onEarlyCommit(Delivery first) {
                try {
                    before.onEarlyCommit(first);
                } finally {
                    next.onEarlyCommit(first);
                }
            }
        };
    }
}
