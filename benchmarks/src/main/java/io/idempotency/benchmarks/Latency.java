package io.idempotency.benchmarks;

import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.StatUtils;

/**
 * The time that a contestant adds to a poll at a low rate. Rounds of one run follow each other, so they meet the same load of the machine: each is compared with the
 * other one of its run. The figures are median, least and most of these differences, in microseconds.
 *
 * @param p50Micros of the median times of the rounds
 * @param p99Micros of the 99th percentiles of the rounds
 */
record Latency(double p50Micros, double p50Least, double p50Most, double p99Micros, double p99Least, double p99Most) {

    static Latency added(Measurement to, Measurement by) {
        double[] p50 = differences(to, by, Outcome::p50Micros);
        double[] p99 = differences(to, by, Outcome::p99Micros);
        return new Latency(
                StatUtils.percentile(p50, 50),
                StatUtils.min(p50),
                StatUtils.max(p50),
                StatUtils.percentile(p99, 50),
                StatUtils.min(p99),
                StatUtils.max(p99));
    }

    private static double[] differences(Measurement to, Measurement by, ToDoubleFunction<Outcome> time) {
        int runs = Math.min(to.outcomes().size(), by.outcomes().size());
        return IntStream.range(0, runs)
                .mapToDouble(run -> time.applyAsDouble(by.outcomes().get(run))
                        - time.applyAsDouble(to.outcomes().get(run)))
                .toArray();
    }
}
