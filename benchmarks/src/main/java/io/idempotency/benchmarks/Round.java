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
 * @param tables the prefix of the library's table names
 * @param isCaching whether the library's consumer has a cache of known duplicates
 * @param isPurging whether old messages are purged meanwhile; the round ends with the purge
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
        String tables,
        boolean isCaching,
        boolean isPurging) {

    private static final int POLL = 500;

    /** Returns a round that reads a topic once, from its beginning to its end. */
    static Round of(Topic topic) {
        List<Integer> all = IntStream.range(0, topic.partitions()).boxed().toList();
        return new Round(topic.name(), all, 0, topic.messages(), 600, POLL, 1, false, Library.TABLES, false, false);
    }

    Round partitions(List<Integer> some) {
        return new Round(topic, some, from, messages, seconds, poll, first, isRepeating, tables, isCaching, isPurging);
    }

    Round from(long offset) {
        return new Round(
                topic, partitions, offset, messages, seconds, poll, first, isRepeating, tables, isCaching, isPurging);
    }

    Round messages(long most) {
        return new Round(
                topic, partitions, from, most, seconds, poll, first, isRepeating, tables, isCaching, isPurging);
    }

    Round seconds(double most) {
        return new Round(
                topic, partitions, from, messages, most, poll, first, isRepeating, tables, isCaching, isPurging);
    }

    Round poll(int most) {
        return new Round(
                topic, partitions, from, messages, seconds, most, first, isRepeating, tables, isCaching, isPurging);
    }

    /** Returns a round over known messages, after the first messages of each partition. */
    Round repeating(int known) {
        return new Round(
                topic,
                partitions,
                from,
                Long.MAX_VALUE,
                seconds,
                poll,
                Math.max(1, known),
                true,
                tables,
                true,
                isPurging);
    }

    Round tables(String prefix) {
        return new Round(
                topic, partitions, from, messages, seconds, poll, first, isRepeating, prefix, isCaching, isPurging);
    }

    Round purging() {
        return new Round(topic, partitions, from, messages, seconds, poll, first, isRepeating, tables, isCaching, true);
    }
}
