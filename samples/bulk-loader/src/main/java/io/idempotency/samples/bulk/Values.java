package io.idempotency.samples.bulk;

import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the values of a topic as trees, out of which pointers take the columns. Thread-safe. */
interface Values {

    /** A value that makes no row. */
    final class UnusableException extends Exception {

        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }
    }

    /** Returns the value as an object or an array. */
    JsonNode read(byte[] value) throws UnusableException;

    /** Returns whether a value may have something there. */
    default boolean mayHave(JsonPointer pointer) {
        return true;
    }

    /** Returns values in JSON. */
    static Values json() {
        return value -> {
            try {
                JsonNode read = JsonMapper.shared().readTree(value);
                if (read.isObject() || read.isArray()) {
                    return read;
                }
            } catch (RuntimeException e) {
                throw new UnusableException("the value is no JSON: " + e.getMessage());
            }
            throw new UnusableException("the value is no JSON object");
        };
    }
}
