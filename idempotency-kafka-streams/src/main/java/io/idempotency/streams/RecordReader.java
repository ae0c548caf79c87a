package io.idempotency.streams;

import io.idempotency.Duplicate;
import io.idempotency.kafka.MessageIds;
import io.idempotency.store.Delivery;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.Printable;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.Sensor.RecordingLevel;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the id of a record, and reports copies and records without an id. Not thread-safe. */
final class RecordReader<V> {

    private static final Logger LOG = LoggerFactory.getLogger(Deduplication.class);

    private final String name;
    private final MessageIds<? super V> ids;
    private final MissingId missingId;
    private final DeduplicationListener listener;
    private final ProcessingContext context;
    private final Sensor copies;
    private final Sensor missingIds;
    private boolean isMissingKnown;

    RecordReader(DeduplicationSettings<V> settings, ProcessingContext context) {
        this.name = settings.name();
        this.ids = settings.ids();
        this.missingId = settings.missingId();
        this.listener = settings.listener();
        this.context = context;
        StreamsMetrics metrics = context.metrics();
        this.copies = metrics.addRateTotalSensor("deduplication", name, "copies", RecordingLevel.INFO);
        this.missingIds = metrics.addRateTotalSensor("deduplication", name, "missing-ids", RecordingLevel.INFO);
    }

    /**
     * Returns the id; empty if there is none and the record is to be forwarded or dropped all the same.
     *
     * @throws InvalidMessageIdException if there is none, and that is a failure
     */
    Optional<MessageId> id(@Nullable Object key, @Nullable V value, long timestamp, Headers headers) {
        Position at = position();
        try {
            // Extractors read records of consumers, and name topic, partition and offset in their errors.
            ConsumerRecord<Object, V> record = new ConsumerRecord<>(
                    at.stream(),
                    at.partition(),
                    at.offset(),
                    timestamp,
                    TimestampType.NO_TIMESTAMP_TYPE,
                    ConsumerRecord.NULL_SIZE,
                    ConsumerRecord.NULL_SIZE,
                    key,
                    value,
                    headers,
                    Optional.empty());
            return ids.messageId(record).map(id -> new MessageId(name, id));
        } catch (InvalidMessageIdException missing) {
            if (missingId == MissingId.FAIL) {
                throw missing;
            }
            missingIds.record();
            if (isMissingKnown) {
                LOG.debug("The record at {} has no usable message id", at, missing);
            } else {
                isMissingKnown = true;
                LOG.warn(
                        "Deduplication {}: a record has no usable message id, and is {}. Others of this task are reported at DEBUG, to the listener and by missing-ids-total: {}",
                        name,
                        missingId == MissingId.DROP ? "dropped" : "forwarded",
                        missing.getMessage());
            }
            tell(each -> each.onMissingId(name, at, missing));
            return Optional.empty();
        }
    }

    /** Reports a copy. */
    void report(MessageId id, Duplicate duplicate) {
        copies.record();
        Delivery delivery = new Delivery(id, position());
        if (LOG.isDebugEnabled()) {
            LOG.debug("{} is a copy of {}, {} old", delivery, duplicate.first(), Printable.of(duplicate.age()));
        }
        tell(each -> each.onCopy(delivery, duplicate));
    }

    private void tell(Consumer<DeduplicationListener> news) {
        try {
            news.accept(listener);
        } catch (RuntimeException | Error e) {
            if (e instanceof VirtualMachineError) {
                throw e;
            }
            LOG.warn("The listener of the deduplication {} failed at {}; nothing changes", name, position(), e);
        }
    }

    private Position position() {
        return context.recordMetadata().map(RecordReader::position).orElse(Position.UNKNOWN);
    }

    private static Position position(RecordMetadata metadata) {
        return metadata.topic() == null
                ? Position.UNKNOWN
                : new Position(metadata.topic(), metadata.partition(), metadata.offset());
    }
}
