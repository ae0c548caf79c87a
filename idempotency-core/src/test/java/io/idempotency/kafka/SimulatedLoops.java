package io.idempotency.kafka;

import io.idempotency.BatchHandler;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Makes poll loops on a simulated clock and a simulated Kafka. */
public final class SimulatedLoops {

    private static final Duration POLL = Duration.ofMillis(500);

    private SimulatedLoops() {}

    /**
     * The time of a simulated process.
     *
     * @param nanos tells it
     * @param sleep lets so many nanoseconds pass
     */
    public record Clock(LongSupplier nanos, LongConsumer sleep) {}

    public static <K, V> PollLoop<K, V> each(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            MessageHandler<? super ConsumerRecord<K, V>> handler,
            Consumer<K, V> kafka,
            Clock clock) {
        return loop(BoundConsumer.of(consumer, handler), kafka, clock);
    }

    public static <K, V> PollLoop<K, V> batches(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            BatchHandler<ConsumerRecord<K, V>> handler,
            Consumer<K, V> kafka,
            Clock clock) {
        return loop(BoundConsumer.batches(consumer, handler), kafka, clock);
    }

    private static <K, V> PollLoop<K, V> loop(BoundConsumer<K, V> bound, Consumer<K, V> kafka, Clock clock) {
        PollLoop<K, V> loop = PollLoop.of(new RecordProcessor<>(bound, MessageIds.defaults(), clock.nanos()))
                .properties(Map.of(ConsumerConfig.GROUP_ID_CONFIG, "simulated"))
                .topics("orders")
                .pollTimeout(POLL)
                // Whoever closes it must not wait: no other thread runs meanwhile.
                .closeTimeout(Duration.ZERO)
                .consumers(properties -> kafka)
                .admins(properties -> {
                    throw new IllegalStateException("There is no broker to ask");
                })
                .build();
        return waitingOn(clock, loop);
    }

    /** Lets the back-off of the loop take simulated time. */
    private static <K, V> PollLoop<K, V> waitingOn(Clock clock, PollLoop<K, V> loop) {
        try {
            Field life = PollLoop.class.getDeclaredField("life");
            life.setAccessible(true);
            Field closing = LoopLife.class.getDeclaredField("closing");
            closing.setAccessible(true);
            closing.set(life.get(loop), new CountDownLatch(1) {
                @Override
                public boolean await(long timeout, TimeUnit unit) {
                    clock.sleep().accept(unit.toNanos(timeout));
                    return getCount() == 0;
                }
            });
            return loop;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("A poll loop waits for something else now", e);
        }
    }
}
