package io.idempotency.cli;

import io.idempotency.store.Printable;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes values as JSON that is safe to show: what does not show as itself is escaped. */
final class Json {

    private Json() {}

    static String of(@Nullable Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return String.valueOf(value);
        }
        if (value instanceof Fields fields) {
            return of(fields.values());
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(each -> text(String.valueOf(each.getKey())) + ":" + of(each.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof Collection<?> values) {
            return values.stream().map(Json::of).collect(Collectors.joining(",", "[", "]"));
        }
        return text(value.toString());
    }

    /** The escapes of {@link Printable} are those of JSON. */
    private static String text(String text) {
        return '"' + Printable.of(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
    }
}
