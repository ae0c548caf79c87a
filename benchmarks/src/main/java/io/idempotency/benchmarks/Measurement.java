package io.idempotency.benchmarks;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.apache.commons.math3.stat.StatUtils;

/**
 * The measurements of a contestant in a scenario.
 *
 * @param outcomes the outcome of each run
 * @param rate messages a second
 */
record Measurement(String scenario, String contestant, List<Outcome> outcomes, Spread rate) {

    /** The median of the runs, the least and the most. */
    record Spread(double median, double least, double most) {}

    static Measurement of(String scenario, String contestant, List<Outcome> outcomes) {
        double[] rates = outcomes.stream().mapToDouble(Outcome::rate).toArray();
        Spread spread = new Spread(StatUtils.percentile(rates, 50), StatUtils.min(rates), StatUtils.max(rates));
        return new Measurement(scenario, contestant, outcomes, spread);
    }

    /** Returns the median of a value over all runs. */
    double median(ToDoubleFunction<Outcome> what) {
        return StatUtils.percentile(outcomes.stream().mapToDouble(what).toArray(), 50);
    }
}
