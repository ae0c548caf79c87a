package io.idempotency;

import io.idempotency.replay.ReplayStore;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/** Carries out replays on a simulated clock, on the thread of the caller. */
public final class SimulatedReplays<M> {

    private final Replayer<M> replayer;

    private SimulatedReplays(Replayer<M> replayer) {
        this.replayer = replayer;
    }

    /**
     * Returns the replays of a consumer.
     *
     * @param sleep lets so many nanoseconds pass
     */
    public static <M> SimulatedReplays<M> of(
            IdempotentConsumer<M> consumer,
            ReplayStore replays,
            Duration turn,
            SimulatedConsumers.Clock clock,
            LongConsumer sleep) {
        Replayer<M> replayer = Replayer.of(consumer, replays, clock.clockwork(), turn);
        pauseBy(sleep, replayer);
        return new SimulatedReplays<>(replayer);
    }

    /** Rounds of a replayer. */
    public interface Rounds {

        /** Works for a while. Returns how long to wait. */
        Duration next();

        /** Gives all turns back. */
        void close();
    }

    public IdempotentConsumer<M> consumer() {
        return replayer.consumer();
    }

    public Rounds rounds(ReplayHandler handler) {
        ReplayRounds rounds = replayer.rounds(handler);
        return new Rounds() {
            @Override
            public Duration next() {
                return rounds.round();
            }

            @Override
            public void close() {
                rounds.close();
            }
        };
    }

    /** Lets the pauses of the replayer take simulated time. */
    private static void pauseBy(LongConsumer sleep, Replayer<?> replayer) {
        try {
            Field signals = Replayer.class.getDeclaredField("signals");
            signals.setAccessible(true);
            Field semaphore = ReplaySignals.class.getDeclaredField("signals");
            semaphore.setAccessible(true);
            semaphore.set(signals.get(replayer), new Pause(sleep));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("A replayer waits for something else now", e);
        }
    }

    private static final class Pause extends Semaphore {

        private static final long serialVersionUID = 1L;
        private final transient LongConsumer sleep;

        private Pause(LongConsumer sleep) {
            super(0);
            this.sleep = sleep;
        }

        @Override
        public boolean tryAcquire(long timeout, TimeUnit unit) {
            sleep.accept(unit.toNanos(timeout));
            return false;
        }
    }
}
