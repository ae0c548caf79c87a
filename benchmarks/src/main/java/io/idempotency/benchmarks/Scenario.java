package io.idempotency.benchmarks;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A situation, with the contestants that are compared in it.
 *
 * @param name its name in the results
 * @param round the common part of the rounds of all entries
 * @param filling fills the filled tables once
 * @param setting its special settings
 */
record Scenario(
        String name,
        Topic topic,
        UnaryOperator<Round> round,
        Preparation filling,
        Setting setting,
        List<Entry> entries) {

    /**
     * The special settings of a scenario.
     *
     * @param consumers how many consumers share the partitions of the topic
     * @param perSecond how many messages are sent per second during the measurement; 0 if they are in the topic already
     * @param isAdvancing whether a round begins after the last possible message of the previous round, because the tables keep its ids. Then there is no
     *     checkpoint before each round, because a large table is slower for minutes after a checkpoint
     * @param heap the memory of the consumer's JVM; a JVM with the usual one serves several scenarios
     * @param warmUps how many rounds do not count; without them, code that the JVM has not compiled yet would be measured
     */
    record Setting(int consumers, int perSecond, boolean isAdvancing, String heap, int warmUps) {

        static final String USUAL_HEAP = "384m";

        static final Setting PLAIN = new Setting(1, 0, false, USUAL_HEAP, 2);
    }

    static Scenario of(String name, Topic topic, List<Entry> entries) {
        return new Scenario(name, topic, round -> round, Preparation.NONE, Setting.PLAIN, entries);
    }

    Scenario with(UnaryOperator<Round> change) {
        return new Scenario(name, topic, change, filling, setting, entries);
    }

    Scenario filledBy(Preparation before) {
        return new Scenario(name, topic, round, before, setting, entries);
    }

    Scenario with(Setting special) {
        return new Scenario(name, topic, round, filling, special, entries);
    }

    Scenario withEntries(List<Entry> some) {
        return new Scenario(name, topic, round, filling, setting, some);
    }
}
