package io.idempotency;

/** Is told of every consumption, on the consuming thread. What it throws is logged and changes nothing. */
@FunctionalInterface
public interface ConsumptionListener {

    void onConsumption(Consumption consumption);

    /** Returns a listener that tells both, this one first. */
    default ConsumptionListener andThen(ConsumptionListener next) {
        return consumption -> {
            onConsumption(consumption);
            next.onConsumption(consumption);
        };
    }
}
