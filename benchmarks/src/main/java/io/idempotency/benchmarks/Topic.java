package io.idempotency.benchmarks;

/**
 * A topic to be read.
 *
 * @param messages how many messages it has
 * @param ids how the ids of its messages are chosen
 */
record Topic(String name, int partitions, long messages, Ids ids) {

    /** How many messages in front a copy has its first. */
    static final int NEAR = 1_000;

    /** How the ids of messages are chosen. A copy is in the partition of its first. */
    enum Ids {
        /** Each message has another one. */
        NEW,
        /** One message in ten is a copy of one of the {@value #NEAR} in front of it in its partition. */
        TENTH_COPIES,
        /** The messages of a partition repeat {@link #KNOWN} ids in turn. */
        COPIES
    }

    /** How many ids a partition has where all messages are copies: of twelve partitions less than the cache has room for. */
    static final int KNOWN = 400;

    long messagesOfPartition() {
        return messages / partitions;
    }
}
