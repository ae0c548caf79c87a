package io.idempotency.kafka;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Ids in headers, decoded strictly: two different byte sequences never become one id. */
record HeaderIds(List<String> names) implements IdSource<Object> {

    /** Begins the ids of all other kinds; doubled in front of a header id that begins with it. */
    static final String KIND = "~";

    /** What bytes that are not UTF-8 become, unless it stood there. */
    private static final char REPLACEMENT = '\uFFFD';

    private static final String SOURCE = "ce_source";
    static final String ID = "ce_id";

    HeaderIds {
        names = List.copyOf(names);
    }

    @Override
    public Optional<String> find(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        for (String name : names) {
            Optional<String> id = text(record, name, looked);
            if (id.isPresent()) {
                return id.map(text -> text.startsWith(KIND) ? KIND + text : text);
            }
        }
        return Optional.empty();
    }

    /** Joins source and id; the length in front keeps {@code a + bc} and {@code ab + c} apart. */
    static Optional<String> cloudEvent(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        Optional<String> source = text(record, SOURCE, looked);
        Optional<String> id = text(record, ID, looked);
        if (source.isEmpty() || id.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(KIND + "ce:" + source.get().length() + ":" + source.get() + id.get());
    }

    private static Optional<String> text(ConsumerRecord<?, ?> record, String name, List<String> looked)
            throws UnusableId {
        @Nullable Header header = record.headers().lastHeader(name);
        if (header == null || header.value() == null) {
            looked.add("header " + name + " is missing");
            return Optional.empty();
        }
        String text = utf8(header.value(), () -> "header " + name);
        if (text.isBlank()) {
            looked.add("header " + name + " is blank");
            return Optional.empty();
        }
        return Optional.of(text);
    }

    static String utf8(byte[] bytes, Supplier<String> place) throws UnusableId {
        // Hardly any id needs a decoder of its own. Measured by MessageIdsBenchmark.findsInOnlyHeader.
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) < 0) {
            return text;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new UnusableId(place.get() + " holds bytes that are not UTF-8", malformed);
        }
    }
}
