package io.idempotency.kafka;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Refuses settings that would weaken the guarantee, and warns of those that may be intended. */
final class StartUpChecks {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    private static final int CHUNKS_PER_POLL_INTERVAL = 4;

    private StartUpChecks() {}

    static void requireGroup(Map<String, Object> properties) {
        Object group = properties.getOrDefault(ConsumerConfig.GROUP_ID_CONFIG, "");
        if (group.toString().isBlank()) {
            throw new IdempotencyException(
                    "group.id is missing: a poll loop subscribes and commits offsets as a member of a group."
                            + " Set it in properties(..); message ids are remembered by the consumer's name all the same");
        }
    }

    static Map<String, Object> withoutAutoCommit(Map<String, Object> properties) {
        Object autoCommit = properties.getOrDefault(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        if (Boolean.parseBoolean(autoCommit.toString().trim())) {
            throw new IdempotencyException(
                    "enable.auto.commit=true commits offsets of records that are not settled, which loses them in a crash."
                            + " Leave it out: the loop commits what is settled");
        }
        Map<String, Object> checked = new HashMap<>(properties);
        checked.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        return checked;
    }

    static void requireRetention(Map<String, Object> properties, Duration retention) {
        Duration pollInterval = TopicRetention.pollInterval(properties);
        if (retention.compareTo(pollInterval) < 0) {
            throw new IdempotencyException(
                    "Ids are remembered for " + retention
                            + ", but offsets may stay uncommitted for max.poll.interval.ms, " + pollInterval
                            + ", so a redelivered message may be handled twice. Lengthen the retention of the store, and set retention(..) to it");
        }
    }

    static int maxPollRecords(Map<String, Object> properties) {
        Object most = properties.getOrDefault(
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, ConsumerConfig.DEFAULT_MAX_POLL_RECORDS);
        return Integer.parseInt(most.toString().trim());
    }

    static void requireBatch(Map<String, Object> properties, int records, Duration time, int chunkRecords) {
        if (time.isNegative() || time.isZero()) {
            throw new IdempotencyException("gather(..) needs a positive time, not " + time);
        }
        int polled = maxPollRecords(properties);
        if (records <= polled) {
            throw new IdempotencyException("gather(" + records + ", ..) gathers nothing: one poll may have " + polled
                    + " records. Gather more, or lower max.poll.records");
        }
        if (chunkRecords < records) {
            throw new IdempotencyException("gather(" + records + ", ..) needs a consumer with chunk(" + records
                    + ", ..): this one takes " + chunkRecords + " records in a transaction");
        }
    }

    static void warnOfLongChunks(Map<String, Object> properties, Duration chunkTime) {
        Duration pollInterval = TopicRetention.pollInterval(properties);
        if (pollInterval.compareTo(chunkTime.multipliedBy(CHUNKS_PER_POLL_INTERVAL)) < 0) {
            log.warn(
                    "max.poll.interval.ms is {}, and the time of a chunk is {}: the loop may leave its group in the middle of a poll,"
                            + " and settled records are redelivered. Set chunk(records, time) to at most a quarter of max.poll.interval.ms.",
                    pollInterval,
                    chunkTime);
        }
    }

    static void warnOfDefaults(Map<String, Object> properties) {
        if (!properties.containsKey(ConsumerConfig.ISOLATION_LEVEL_CONFIG)) {
            log.warn(
                    "isolation.level is not set, so records of aborted Kafka transactions are handled, too. If a"
                            + " producer uses transactions, set read_committed; otherwise set read_uncommitted to silence this.");
        }
        Object reset = properties.getOrDefault(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        if (reset.toString().trim().toLowerCase(Locale.ROOT).equals("latest")) {
            log.warn(
                    "auto.offset.reset is latest: records that were sent before a partition is discovered for the first"
                            + " time are not handled. Set earliest unless that is meant.");
        }
    }
}
