package io.idempotency.samples.bulk;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/** Turns records into lines of PostgreSQL's text format for {@code COPY}. Thread-safe. */
final class CopyRows {

    private final Values values;
    private final List<JsonPointer> pointers;

    CopyRows(Values values, LoaderSettings.Target target) {
        this.values = values;
        this.pointers = List.copyOf(target.columns().values());
    }

    /** Appends a row. */
    void append(ConsumerRecord<byte[], byte[]> record, ByteArrayOutputStream rows) throws Values.UnusableException {
        if (record.value() == null) {
            throw new Values.UnusableException("the value is null");
        }
        JsonNode value = values.read(record.value());
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
