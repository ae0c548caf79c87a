package io.idempotency.benchmarks;

import java.util.Locale;

/**
 * The effects of rounds, as counted in the database after each.
 *
 * @param messages how many messages had to have an effect
 * @param lost how many had none
 * @param doubled how many effects repeat one of the same message
 */
record EffectCount(long rounds, long messages, long lost, long doubled) {

    static final EffectCount NONE = new EffectCount(0, 0, 0, 0);

    EffectCount and(EffectCount other) {
        return new EffectCount(
                rounds + other.rounds, messages + other.messages, lost + other.lost, doubled + other.doubled);
    }

    boolean isGood() {
        return lost == 0 && doubled == 0;
    }

    String describe() {
        return String.format(
                Locale.ROOT, "%,d messages in %,d rounds: %,d lost, %,d double", messages, rounds, lost, doubled);
    }
}
