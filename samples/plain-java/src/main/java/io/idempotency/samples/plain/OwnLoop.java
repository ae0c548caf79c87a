package io.idempotency.samples.plain;

// tag::loop[]
import io.idempotency.IdempotentConsumer;
import io.idempotency.kafka.RecordProcessor;
import java.time.Duration;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.WakeupException;

// end::loop[]

/** A poll loop of your own. The processor borrows the consumer for one call; {@code consumer.wakeup()} ends the loop. */
final class OwnLoop {

    private OwnLoop() {}

    static void run(
            Consumer<String, String> consumer,
            IdempotentConsumer<ConsumerRecord<String, String>> billing,
            Ledger ledger) {
        try (consumer) {
            // tag::loop[]
            RecordProcessor<String, String> processor =
                    RecordProcessor.of(billing, (record, claim) -> ledger.post(record.value()));
            try {
                while (true) {
                    try {
                        processor.process(consumer, consumer.poll(processor.timeout(Duration.ofSeconds(1))));
                    } catch (RecordDeserializationException unreadable) {
                        processor.reject(consumer, unreadable);
                    }
                }
            } catch (WakeupException wakeup) {
                // consumer.wakeup() ends the loop.
            }
            // end::loop[]
        }
    }
}
