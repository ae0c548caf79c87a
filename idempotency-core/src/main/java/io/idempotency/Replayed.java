package io.idempotency;

import io.idempotency.replay.ReplayResult;
import io.idempotency.store.Delivery;
import java.util.Optional;

/**
 * The result of one message of a replay, reported after its commit.
 *
 * @param replay the id of the replay
 * @param delivery the message as it was quarantined
 * @param level the level of its consumer
 * @param result what became of it
 * @param attempts how many handlers have been started for it, this one included
 * @param failure why it failed or could not be read; empty if it did not
 * @param handlerNanos how long its handler took; 0 if none ran
 */
public record Replayed(
        String replay,
        Delivery delivery,
        ConsistencyLevel level,
        ReplayResult result,
        int attempts,
        Optional<Throwable> failure,
        long handlerNanos) {}
