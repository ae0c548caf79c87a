package io.idempotency.samples.plain;

import io.idempotency.kafka.RecordProcessor;
import java.time.Duration;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.WakeupException;

/** A poll loop of one's own: the processor borrows the consumer for one call. {@code consumer.wakeup()} ends it. */
final class OwnLoop {

    private OwnLoop() {}

    static void run(Consumer<String, String> consumer, RecordProcessor<String, String> processor) {
        try {
            while (true) {
                // tag::loop[]
                try {
                    processor.process(consumer, consumer.poll(processor.timeout(Duration.ofSeconds(1))));
                } catch (RecordDeserializationException unreadable) {
                    processor.reject(consumer, unreadable);
                }
                // end::loop[]
            }
        } catch (WakeupException wakeup) {
            consumer.close();
        }
    }
}
