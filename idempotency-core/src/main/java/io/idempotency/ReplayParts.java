package io.idempotency;

import io.idempotency.replay.ReplayStore;
import java.util.function.LongSupplier;

/** The parts that the rounds of a replayer work with. */
record ReplayParts<M>(
        Settings<M> live,
        ReplayGuard<M> guard,
        ReplayStore replays,
        ReplayTurns turns,
        ReplayWaits waits,
        LongSupplier nanoTime) {}
