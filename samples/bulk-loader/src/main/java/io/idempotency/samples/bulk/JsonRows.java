package io.idempotency.samples.bulk;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Turns JSON into lines of PostgreSQL's text format for {@code COPY}. Thread-safe. */
final class JsonRows {

    /** A value that makes no row. */
    static final class UnusableException extends Exception {

        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }
    }

    private final JsonMapper json = JsonMapper.shared();
    private final List<JsonPointer> pointers;

    JsonRows(LoaderSettings.Target target) {
        this.pointers =
                target.columns().values().stream().map(JsonPointer::compile).toList();
    }

    /** Appends a row. */
    void append(ConsumerRecord<byte[], byte[]> record, ByteArrayOutputStream rows) throws UnusableException {
        JsonNode value = read(record);
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < pointers.size(); i++) {
            line.append(i == 0 ? "" : "\t");
            JsonNode field = value.at(pointers.get(i));
            if (field.isMissingNode() || field.isNull()) {
                line.append("\\N");
            } else {
                escape(field.isValueNode() ? field.asString() : field.toString(), line);
            }
        }
        rows.writeBytes(line.append('\n').toString().getBytes(StandardCharsets.UTF_8));
    }

    private JsonNode read(ConsumerRecord<byte[], byte[]> record) throws UnusableException {
        if (record.value() == null) {
            throw new UnusableException("the value is null");
        }
        try {
            JsonNode value = json.readTree(record.value());
            if (value.isObject() || value.isArray()) {
                return value;
            }
        } catch (RuntimeException e) {
            throw new UnusableException("the value is no JSON: " + e.getMessage());
        }
        throw new UnusableException("the value is no JSON object");
    }

    private static void escape(String text, StringBuilder line) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> line.append("\\\\");
                case '\t' -> line.append("\\t");
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                default -> line.append(c);
            }
        }
    }
}
