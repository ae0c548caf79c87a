package io.idempotency.store;

/**
 * Consecutive offsets of a partition whose messages are settled. Offsets without a message, such as those of transaction markers, belong to it.
 *
 * @param stream the topic
 * @param topicId Kafka's id of the topic, which another topic of that name does not have
 * @param begin the first offset
 * @param end the offset behind the last one; equal to {@code begin} if none is known yet
 * @param leaderEpoch the leader epoch of the newest record that was polled, by which Kafka tells whether the log was cut off since; -1 if it is not known
 * @param token a random number of the stored run, by which a later one replaces it; 0 if none is stored
 */
public record SettledRun(
        String stream, int partition, String topicId, long begin, long end, int leaderEpoch, long token) {

    /** Returns the same run with another end. */
    public SettledRun to(long end) {
        return new SettledRun(stream, partition, topicId, begin, end, leaderEpoch, token);
    }

    /** Returns the same run with another leader epoch. */
    public SettledRun ledIn(int epoch) {
        return new SettledRun(stream, partition, topicId, begin, end, epoch, token);
    }

    /** Returns an empty run at this offset, which takes the place of this one. Of its records no leader epoch is known. */
    public SettledRun at(long offset) {
        return new SettledRun(stream, partition, topicId, offset, offset, -1, token);
    }

    /** Returns the same run as it is stored with that token. */
    public SettledRun storedAs(long token) {
        return new SettledRun(stream, partition, topicId, begin, end, leaderEpoch, token);
    }
}
