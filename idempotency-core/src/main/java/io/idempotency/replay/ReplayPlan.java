package io.idempotency.replay;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a replay would do.
 *
 * @param total the messages that it would take
 * @param inOtherReplays messages that are chosen, but belong to another running replay, which keeps them
 * @param withoutBytes messages whose bytes were not kept; they are read again from Kafka if it still has them
 * @param alreadyProcessed messages that were processed meanwhile; their entries are deleted
 * @param byFailure how many messages there are of each exception class, the most frequent first
 * @param byPartition how many messages there are of each partition, such as {@code orders-3}, in order
 * @param oldest when the oldest message was quarantined
 */
public record ReplayPlan(
        long total,
        long inOtherReplays,
        long withoutBytes,
        long alreadyProcessed,
        Map<String, Long> byFailure,
        Map<String, Long> byPartition,
        Optional<Instant> oldest) {}
