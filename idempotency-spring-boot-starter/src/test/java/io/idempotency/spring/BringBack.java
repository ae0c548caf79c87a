package io.idempotency.spring;

// tag::again[]
import io.idempotency.Operations;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.stereotype.Component;

/** Sends a message out of quarantine again. */
@Component
class BringBack {

    private final Operations operations;
    private final QuarantineStore quarantine;
    private final ProducerFactory<?, ?> producers;

    BringBack(Operations operations, QuarantineStore quarantine, ProducerFactory<?, ?> producers) {
        this.operations = operations;
        this.quarantine = quarantine;
        this.producers = producers;
    }

    void send(String consumer, String id) throws ExecutionException, InterruptedException {
        MessageId message = new MessageId(consumer, id);
        QuarantinedMessage kept = quarantine.find(message).orElseThrow().message();
        Payload bytes = kept.payload();
        if (bytes.origin() != Payload.Origin.RAW && bytes.origin() != Payload.Origin.REREAD) {
            throw new IllegalStateException("The bytes were not kept: send it again from where it came");
        }
        var record = new ProducerRecord<>(kept.delivery().position().stream(), bytes.key(), bytes.value());
        bytes.headers().forEach(header -> record.headers().add(header.name(), header.value()));
        try (var producer = new KafkaProducer<>(
                producers.getConfigurationProperties(), new ByteArraySerializer(), new ByteArraySerializer())) {
            operations.drop(message, "it is sent again");
            operations.forget(message, "it is sent again");
            producer.send(record).get();
        } catch (RuntimeException | ExecutionException | InterruptedException e) {
            quarantine.save(kept);
            throw e;
        }
    }
}
// end::again[]
