package io.idempotency;

import io.idempotency.replay.ReplayStore;
import java.time.Duration;

/** Makes replayers whose turns end soon, so that nobody waits a minute for a node that has died. */
public final class ShortTurns {

    private ShortTurns() {}

    public static <M> Replayer<M> of(IdempotentConsumer<M> consumer, ReplayStore replays, Duration turn) {
        return Replayer.of(consumer, replays, Clockwork.of(System::nanoTime), turn);
    }
}
