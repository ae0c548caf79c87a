package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;

/** Known faults that can be built in. The simulation has to catch each. */
enum Broken {
    CLAIM_COMMITTED_BEFORE_EFFECT(ConsistencyLevel.STRONG),
    EFFECT_OUTSIDE_TRANSACTION(ConsistencyLevel.STRONG),
    CACHE_MARKED_BEFORE_COMMIT(ConsistencyLevel.STRONG),
    UNKNOWN_COMMIT_TAKEN_FOR_DONE(ConsistencyLevel.STRONG),
    UNCOMMITTED_CLAIM_CALLED_DUPLICATE(ConsistencyLevel.STRONG),
    LATE_COMMIT_LOCKS_NOTHING(ConsistencyLevel.STRONG),
    EARLY_CLAIM_TAKEN_FOR_FINAL(ConsistencyLevel.STRONG),
    SWALLOWED_FAILURE_COMMITTED(ConsistencyLevel.STRONG),
    PURGED_TOO_EARLY(ConsistencyLevel.STRONG),
    SEEK_IGNORED(ConsistencyLevel.STRONG),
    OFFSET_AHEAD_OF_SETTLED(ConsistencyLevel.STRONG),
    LOST_POLL_NOT_REWOUND(ConsistencyLevel.STRONG),
    LEASE_NOT_RENEWED(ConsistencyLevel.AT_LEAST_ONCE),
    LEASED_BEHIND_ANOTHER(ConsistencyLevel.AT_LEAST_ONCE),
    LATE_OWNER_COMPLETES(ConsistencyLevel.AT_LEAST_ONCE),
    LATE_OWNER_RELEASES(ConsistencyLevel.AT_LEAST_ONCE),
    COMPLETION_NOT_RETRIED(ConsistencyLevel.AT_LEAST_ONCE),
    UNCOMPLETED_RELEASED(ConsistencyLevel.AT_LEAST_ONCE),
    NAMED_FAILURE_TAKEN_FOR_ANY(ConsistencyLevel.AT_LEAST_ONCE),
    RELEASED_COUNTED_AS_PROCESSED(ConsistencyLevel.AT_LEAST_ONCE),
    IN_PROGRESS_CALLED_DUPLICATE(ConsistencyLevel.AT_LEAST_ONCE),
    CLAIM_TAKEN_BACK_AFTER_FAILURE(ConsistencyLevel.AT_MOST_ONCE),
    ENTRY_NOT_TAKEN(ConsistencyLevel.STRONG, true),
    GENERATION_IGNORED(ConsistencyLevel.STRONG, true),
    ENTRY_DELETED_BEFORE_COMMIT(ConsistencyLevel.STRONG, true),
    QUARANTINED_CALLED_DUPLICATE(ConsistencyLevel.STRONG, true),
    KEYS_NOT_READ(ConsistencyLevel.STRONG, true),
    LEADER_CALLED_GONE_TOO_EARLY(ConsistencyLevel.STRONG, true),
    REPLAYED_BEFORE_ITS_LEADER(ConsistencyLevel.STRONG, true),
    FOLLOWERS_NOT_FREED(ConsistencyLevel.STRONG, true),
    DROPPED_NOT_REMEMBERED(ConsistencyLevel.STRONG, true),
    PROCESSED_UNQUARANTINED(ConsistencyLevel.AT_LEAST_ONCE, true),
    HELD_MESSAGE_REPLAYED(ConsistencyLevel.AT_LEAST_ONCE, true);

    /** The level that it hurts. */
    final ConsistencyLevel level;

    /** Whether it hurts only replays. */
    final boolean isOfReplays;

    Broken(ConsistencyLevel level) {
        this(level, false);
    }

    Broken(ConsistencyLevel level, boolean isOfReplays) {
        this.level = level;
        this.isOfReplays = isOfReplays;
    }
}
