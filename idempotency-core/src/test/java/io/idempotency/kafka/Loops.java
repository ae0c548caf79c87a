package io.idempotency.kafka;

import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageHandler;
import io.idempotency.memory.MemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** The running loops of one test: one store, one consumer name, any number of members. */
final class Loops implements AutoCloseable {

    final MemoryStore store =
            MemoryStore.builder().claimTimeout(Duration.ofMillis(500)).build();
    final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final List<PollLoop<String, String>> open = new CopyOnWriteArrayList<>();

    PollLoop<String, String> start(
            Map<String, Object> properties, String topic, MessageHandler<ConsumerRecord<String, String>> handler) {
        return start(properties, topic, UnaryOperator.identity(), handler);
    }

    PollLoop<String, String> start(
            Map<String, Object> properties,
            String topic,
            UnaryOperator<IdempotentConsumerBuilder<ConsumerRecord<String, String>>> settings,
            MessageHandler<ConsumerRecord<String, String>> handler) {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = settings.apply(
                        KafkaRecords.<String, String>consumer("billing").store(store))
                .build();
        return start(properties, topic, RecordProcessor.of(consumer, handler));
    }

    PollLoop<String, String> start(
            Map<String, Object> properties, String topic, RecordProcessor<String, String> processor) {
        PollLoop<String, String> loop = PollLoop.of(processor)
                .properties(properties)
                .topics(topic)
                .pollTimeout(Duration.ofMillis(100))
                .build();
        start(loop);
        return loop;
    }

    void start(PollLoop<String, String> loop) {
        Thread thread = new Thread(
                () -> {
                    try {
                        loop.run();
                    } catch (RuntimeException | Error failure) {
                        failures.add(failure);
                    }
                },
                "loop-" + open.size());
        thread.start();
        open.add(loop);
    }

    /** The text of a value, for handlers. */
    static String text(ConsumerRecord<String, @Nullable String> record) {
        return Optional.ofNullable(record.value()).orElse("(tombstone)");
    }

    @Override
    public void close() {
        for (PollLoop<String, String> each : open) {
            each.close();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("A loop ended", failures.get(0));
        }
    }
}
