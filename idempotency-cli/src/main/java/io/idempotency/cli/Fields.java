package io.idempotency.cli;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Named values in their order. Not thread-safe. */
final class Fields {

    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    static Fields of(String name, @Nullable Object value) {
        return new Fields().and(name, value);
    }

    /** Adds a value; an empty {@link Optional} is none. */
    Fields and(String name, @Nullable Object value) {
        values.put(name, value instanceof Optional<?> optional ? optional.orElse(null) : value);
        return this;
    }

    Map<String, @Nullable Object> values() {
        return Collections.unmodifiableMap(values);
    }
}
