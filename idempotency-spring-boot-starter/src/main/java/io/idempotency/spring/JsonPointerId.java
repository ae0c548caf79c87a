package io.idempotency.spring;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.InvalidMessageIdException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a message id by a JSON pointer (RFC 6901) from a value that is JSON in text or bytes. It reads the whole value strictly, because two readers
 * may see two ids if a name occurs twice or the text is truncated. Loaded only if Jackson is on the class path. Thread-safe.
 */
final class JsonPointerId {

    private final JsonMapper json = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private final JsonPointer pointer;

    JsonPointerId(String pointer) {
        this.pointer = JsonPointer.compile(pointer);
    }

    @Nullable
    Object read(ConsumerRecord<?, ?> record) {
        Object value = record.value();
        if (value == null) {
            return null;
        }
        if (!SpelMessageId.isText(value)) {
            throw new IdempotencyException(
                    "The JSON pointer " + pointer
                            + " needs a value that is text or bytes. For other values take an expression, such as value.eventId");
        }
        JsonNode found = root(value).at(pointer);
        if (found.isString()) {
            return found.stringValue();
        }
        if (found.isMissingNode() || found.isNull()) {
            return null;
        }
        return found.isNumber() ? found.numberValue() : found;
    }

    /** Does not quote the value, which is somebody's data. */
    private JsonNode root(Object value) {
        try {
            if (value instanceof Bytes bytes) {
                return json.readTree(bytes.get());
            }
            return value instanceof byte[] bytes ? json.readTree(bytes) : json.readTree(value.toString());
        } catch (JacksonException e) {
            throw new InvalidMessageIdException(
                    "the value is not exactly one JSON document, or a name occurs in it twice: "
                            + e.getClass().getSimpleName() + " in line "
                            + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr());
        }
    }
}
