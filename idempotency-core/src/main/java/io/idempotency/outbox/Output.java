package io.idempotency.outbox;

import io.idempotency.store.Payload.Header;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record to be sent.
 *
 * @param id its message id, which one of the headers carries; for operators
 * @param partition where it goes; null if the producer chooses by the key
 * @param timestamp in milliseconds; null if the producer sets it when it sends
 * @param headers in their order
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of bytes between a table and Kafka; never compared
public record Output(
        String id,
        String topic,
        @Nullable Integer partition,
        @Nullable Long timestamp,
        byte @Nullable [] key,
        byte @Nullable [] value,
        List<Header> headers) {

    /** Names topic and id, and no content. */
    @Override
    public String toString() {
        return "output " + id + " to " + topic;
    }
}
