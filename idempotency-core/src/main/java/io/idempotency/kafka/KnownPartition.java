package io.idempotency.kafka;

import io.idempotency.store.SettledRun;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * What is known of a partition when it is assigned.
 *
 * @param first the offset of its first record
 * @param end the offset behind its last one
 */
record KnownPartition(
        TopicPartition partition,
        String topicId,
        Optional<SettledRun> stored,
        Optional<OffsetAndMetadata> committed,
        long first,
        long end) {

    /** The text in front of the begin and token of the run. Kafka keeps it beside the committed offset. */
    private static final String MARK = "settled from ";

    /** Returns an offset with the mark of its run, as it is stored. */
    static OffsetAndMetadata marked(OffsetAndMetadata offset, SettledRun run) {
        return new OffsetAndMetadata(offset.offset(), offset.leaderEpoch(), mark(run));
    }

    private static String mark(SettledRun run) {
        return MARK + run.begin() + ", " + Long.toHexString(run.token());
    }

    /**
     * Returns the stored run of this topic, up to what is committed of it. Each row has another token than the one that it replaced. So an offset was committed after the stored row was
     * written, by the loop that wrote it, or it does not count: the row may have been forgotten since, or restored from a backup.
     */
    Optional<SettledRun> run() {
        return stored.filter(run -> run.topicId().equals(topicId) && run.end() <= end)
                .map(run -> committed
                        .filter(offset -> offset.metadata().equals(mark(run)))
                        .filter(offset -> offset.offset() > run.end())
                        .map(offset -> run.to(offset.offset())
                                .ledIn(offset.leaderEpoch().orElse(-1)))
                        .orElse(run));
    }

    /**
     * Returns where the partition begins, if that is neither its committed offset nor where Kafka would begin: behind settled offsets, or at the first record of a
     * topic that was created again. If the broker has deleted the record at the committed offset, it is the first record that there is, if all in front was settled. If that is not known, it is
     * the end of the partition under {@code latest}, where Kafka would begin, too: the run must not lead past what it leaves out.
     *
     * @param reset the {@code auto.offset.reset} of the consumer
     */
    Optional<Long> start(String reset) {
        if (isOfAnotherTopic()) {
            return Optional.of(first);
        }
        return ahead(reset.equals("earliest"))
                .or(() -> committed
                        .filter(offset -> offset.offset() < first)
                        .flatMap(gone -> run().filter(run -> gone.offset() >= run.begin() && gone.offset() <= run.end())
                                .map(run -> first)
                                .or(() -> reset.equals("latest") ? Optional.of(end) : Optional.empty())));
    }

    /** @param isEarliest whether a group without a committed offset is to read from the first record on */
    private Optional<Long> ahead(boolean isEarliest) {
        return run().filter(run -> committed
                        .map(offset -> offset.offset() >= run.begin() && offset.offset() < run.end())
                        .orElse(!isEarliest || first >= run.begin()))
                .map(run -> Math.max(run.end(), first));
    }

    /** Returns whether the stored run is of another topic of this name, and no committed offset of this one is known. */
    private boolean isOfAnotherTopic() {
        return stored.filter(run -> !run.topicId().equals(topicId)).isPresent()
                && committed
                        .filter(offset ->
                                offset.offset() <= end && !offset.metadata().startsWith(MARK))
                        .isEmpty();
    }

    /** Returns the offset, with the leader epoch of the stored run if it is the end of it and has none. By that epoch Kafka finds that the log was cut off in front of it. */
    OffsetAndMetadata checked(OffsetAndMetadata start) {
        Optional<Integer> epoch = start.leaderEpoch()
                .or(() -> run().filter(run -> run.end() == start.offset() && run.leaderEpoch() >= 0)
                        .map(SettledRun::leaderEpoch));
        return new OffsetAndMetadata(start.offset(), epoch, start.metadata());
    }

    /** Returns the run of a loop that begins at the position: the stored one if the position belongs to it, otherwise a new one. */
    SettledRun runFrom(long position) {
        return run().filter(each -> position >= each.begin() && position <= Math.max(each.end(), first))
                .map(each -> each.to(Math.max(each.end(), position)))
                .orElseGet(() -> newRun(position));
    }

    /** Returns a run of which nothing is settled yet, in place of the stored one. */
    SettledRun newRun(long position) {
        return new SettledRun(
                partition.topic(),
                partition.partition(),
                topicId,
                position,
                position,
                -1,
                stored.map(SettledRun::token).orElse(0L));
    }
}
