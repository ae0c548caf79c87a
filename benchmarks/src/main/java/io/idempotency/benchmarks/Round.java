package io.idempotency.benchmarks;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A task of a contestant, as a line of JSON on its standard input.
 *
 * @param topic the topic to read
 * @param partitions the partitions to read
 * @param from the offset to begin at, in each partition
 * @param messages the number of messages after which it ends, if the time is not over
 * @param seconds the time after which it ends
 * @param poll the most messages of a poll
 * @param first how many messages of each partition are handled before the clock starts, so that work that happens once for each is not
 *     measured
 * @param isRepeating whether it begins again at the end of the topic: for duplicates a short topic serves as well as a long one
 * @param library the settings of this library
 */
record Round(
        String topic,
        List<Integer> partitions,
        long from,
        long messages,
        double seconds,
        int poll,
        int first,
        boolean isRepeating,
        Settings library) {

    private static final int POLL = 500;

    /**
     * The settings of this library.
     *
     * @param tables the prefix of its table names
     * @param isCaching whether its consumer has a cache of known duplicates
     * @param isPurging whether old messages are purged, and archives built, meanwhile; the round ends with that
     * @param archiveAfter how many messages of a journal stay in segments; 0 for the default
     */
    record Settings(String tables, boolean isCaching, boolean isPurging, int archiveAfter) {

        private static final Settings PLAIN = new Settings(Library.TABLES, false, false, 0);
    }

    /** Returns a round that reads a topic once, from its beginning to its end. */
    static Round of(Topic topic) {
        List<Integer> all = IntStream.range(0, topic.partitions()).boxed().toList();
        return new Round(topic.name(), all, 0, topic.messages(), 600, POLL, 1, false, Settings.PLAIN);
    }

    Round partitions(List<Integer> some) {
        return new Round(topic, some, from, messages, seconds, poll, first, isRepeating, library);
    }

    Round from(long offset) {
        return new Round(topic, partitions, offset, messages, seconds, poll, first, isRepeating, library);
    }

    Round messages(long most) {
        return new Round(topic, partitions, from, most, seconds, poll, first, isRepeating, library);
    }

    Round seconds(double most) {
        return new Round(topic, partitions, from, messages, most, poll, first, isRepeating, library);
    }

    Round poll(int most) {
        return new Round(topic, partitions, from, messages, seconds, most, first, isRepeating, library);
    }

    /** Returns a round over known messages, after the first messages of each partition. */
    Round repeating(int known) {
        Settings caching = new Settings(library.tables, true, library.isPurging, library.archiveAfter);
        return new Round(topic, partitions, from, Long.MAX_VALUE, seconds, poll, Math.max(1, known), true, caching);
    }

    Round tables(String prefix) {
        return library(new Settings(prefix, library.isCaching, library.isPurging, library.archiveAfter));
    }

    Round purging() {
        return library(new Settings(library.tables, library.isCaching, true, library.archiveAfter));
    }

    Round archiving(int after) {
        return library(new Settings(library.tables, library.isCaching, library.isPurging, after));
    }

    private Round library(Settings other) {
        return new Round(topic, partitions, from, messages, seconds, poll, first, isRepeating, other);
    }
}
