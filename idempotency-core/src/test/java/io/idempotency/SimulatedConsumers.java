package io.idempotency;

import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/** Builds consumers on a simulated clock. */
public final class SimulatedConsumers {

    private SimulatedConsumers() {}

    /** Runs a task again and again, until what it returns is run. */
    @FunctionalInterface
    public interface Ticks {
        Runnable every(Duration interval, Runnable task);
    }

    /** The time, the randomness and the timers of a simulated process. */
    public record Clock(LongSupplier nanoTime, LongUnaryOperator random, Ticks ticks) {
        Clockwork clockwork() {
            return new Clockwork(nanoTime, random, (interval, name, task) -> ticks.every(interval, task));
        }
    }

    public static <M> IdempotentConsumer<M> build(IdempotentConsumerBuilder<M> builder, Clock clock) {
        return builder.build(clock.clockwork());
    }
}
