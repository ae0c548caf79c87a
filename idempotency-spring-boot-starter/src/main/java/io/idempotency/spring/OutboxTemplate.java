package io.idempotency.spring;

import io.idempotency.outbox.Outbox;
import io.micrometer.observation.Observation;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.support.SendResult;

/**
 * A template that sends through an {@link Outbox}: it stores records in the active transaction, and they go to Kafka after its commit. Use it where an output may
 * only be sent if the listener's transaction commits. Thread-safe.
 *
 * <p>The future of a send is done when the record is stored. Its metadata have no partition and no offset, because Kafka does not have the record yet. The
 * template sends in no transaction of Kafka.
 */
public final class OutboxTemplate<K, V> extends KafkaTemplate<K, V> {

    private static final int NONE = -1;

    private final Outbox<K, V> outbox;

    /**
     * Creates a template.
     *
     * @param factory is not asked for a producer
     */
    public OutboxTemplate(Outbox<K, V> outbox, ProducerFactory<K, V> factory) {
        super(factory);
        this.outbox = outbox;
    }

    /** Returns a template of this outbox that converts messages as the given one does. */
    OutboxTemplate<K, V> like(KafkaTemplate<?, ?> given) {
        OutboxTemplate<K, V> alike = new OutboxTemplate<>(outbox, getProducerFactory());
        alike.setMessageConverter(given.getMessageConverter());
        return alike;
    }

    /** Returns the outbox, which has more kinds of sending. */
    public Outbox<K, V> outbox() {
        return outbox;
    }

    @Override
    protected CompletableFuture<SendResult<K, V>> doSend(
            ProducerRecord<K, V> record, @Nullable Observation observation) {
        outbox.send(record);
        if (observation != null) {
            observation.stop();
        }
        TopicPartition unknown = new TopicPartition(record.topic(), RecordMetadata.UNKNOWN_PARTITION);
        RecordMetadata metadata = new RecordMetadata(unknown, NONE, NONE, NONE, NONE, NONE);
        return CompletableFuture.completedFuture(new SendResult<>(record, metadata));
    }
}
