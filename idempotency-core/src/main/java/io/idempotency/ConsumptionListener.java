package io.idempotency;

/** Is told of every consumption, on the consuming thread. What it throws is logged and changes nothing, but for errors of the virtual machine. */
@FunctionalInterface
public interface ConsumptionListener {

    void onConsumption(Consumption consumption);

    /** Is told of a partition that was given up: somebody else consumes it from now on. */
    default void onRevoked(String consumer, String stream, int partition) {}

    /** Returns a listener that tells both, this one first, and the next one even if this one fails. */
    default ConsumptionListener andThen(ConsumptionListener next) {
        ConsumptionListener first = this;
        return new ConsumptionListener() {
            @Override
            public void onConsumption(Consumption consumption) {
                try {
                    first.onConsumption(consumption);
                } finally {
                    next.onConsumption(consumption);
                }
            }

            @Override
            public void onRevoked(String consumer, String stream, int partition) {
                try {
                    first.onRevoked(consumer, stream, partition);
                } finally {
                    next.onRevoked(consumer, stream, partition);
                }
            }
        };
    }
}
