package io.idempotency.cli;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Collection;
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

    /** Adds a value, as text unless it is a number, a boolean, or consists of others; an empty {@link Optional} is none. */
    Fields and(String name, @Nullable Object value) {
        values.put(name, plain(value instanceof Optional<?> optional ? optional.orElse(null) : value));
        return this;
    }

    private static @Nullable Object plain(@Nullable Object value) {
        if (value == null) {
            return null;
        }
        boolean isPlain = value instanceof Number
                || value instanceof Boolean
                || value instanceof Fields
                || value instanceof Map
                || value instanceof Collection;
        return isPlain ? value : value.toString();
    }

    @JsonValue
    Map<String, @Nullable Object> values() {
        return Collections.unmodifiableMap(values);
    }
}
