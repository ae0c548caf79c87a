package io.idempotency.benchmarks;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * One situation, and who is compared in it.
 *
 * @param name what results call it
 * @param round what the rounds of all entries have in common
 * @param filling what is put into the filled tables once
 * @param setting what is special about it
 */
record Scenario(
        String name,
        Topic topic,
        UnaryOperator<Round> round,
        Preparation filling,
        Setting setting,
        List<Entry> entries) {

    /**
     * What is special about a scenario.
     *
     * @param consumers how many consumers share the partitions of the topic
     * @param perSecond how many messages are sent in a second while it is measured; 0 if they are in the topic already
     * @param isAdvancing whether a round begins where the one in front could end at most, because the tables keep what it stored; then there is no
     *     checkpoint in front of each, for behind one a large table is slower for minutes than it is until the next
     * @param heap how much memory the consumer's JVM may have; with the usual one it goes on from scenario to scenario
     * @param warmUps how many rounds are not counted: what the JVM has not compiled yet is measured otherwise
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
