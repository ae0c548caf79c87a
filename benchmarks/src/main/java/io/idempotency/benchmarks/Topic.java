package io.idempotency.benchmarks;

/**
 * A topic to read.
 *
 * @param messages the number of its messages
 * @param ids the choice of its ids
 */
record Topic(String name, int partitions, long messages, Ids ids) {

    /** The greatest distance between a copy and its original, in messages. */
    static final int NEAR = 1_000;

    /** The choice of ids. A copy is in the partition of its original. */
    enum Ids {
        /** Each message has its own id. */
        NEW,
        /** One message in ten is a copy of one of the {@value #NEAR} before it in its partition. */
        TENTH_COPIES,
        /** The messages of a partition repeat {@link #KNOWN} ids in turn. */
        COPIES
    }

    /** The number of ids of a partition whose messages are all copies. Twelve such partitions fit into the cache. */
    static final int KNOWN = 400;

    long messagesOfPartition() {
        return messages / partitions;
    }
}
