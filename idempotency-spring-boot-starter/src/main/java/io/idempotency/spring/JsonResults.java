package io.idempotency.spring;

import io.idempotency.results.ResultCodec;
import tools.jackson.databind.json.JsonMapper;

/** Writes results as JSON. Loaded only if Jackson is on the class path. Thread-safe. */
final class JsonResults implements ResultCodec {

    private final JsonMapper json;

    JsonResults(JsonMapper json) {
        this.json = json;
    }

    @Override
    public byte[] toBytes(Object value) {
        return json.writeValueAsBytes(value);
    }

    @Override
    public <T> T fromBytes(byte[] content, Class<T> type) {
        return json.readValue(content, type);
    }
}
