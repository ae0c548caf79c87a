package io.idempotency;

/** Is told of every consumption, on the consuming thread. What it throws is logged and changes nothing, but for errors of the virtual machine. */
@FunctionalInterface
public interface ConsumptionListener {

    void onConsumption(Consumption consumption);

    /** Returns a listener that tells both, this one first, and the next one even if this one fails. */
    default ConsumptionListener andThen(ConsumptionListener next) {
        return consumption -> {
            try {
                onConsumption(consumption);
            } finally {
                next.onConsumption(consumption);
            }
        };
    }
}
