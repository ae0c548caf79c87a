package io.idempotency.kafka;

import io.idempotency.store.IdKind;
import io.idempotency.store.MessageId;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Finds ids in headers and decodes them strictly: two different byte sequences never become one id. */
record HeaderIds(List<String> names) implements IdSource<Object> {

    /** Begins the ids of all other kinds, see {@link IdKind}. */
    static final String KIND = "~";

    /** Stands for bytes that are not UTF-8 after lenient decoding, unless the text itself holds it. */
    private static final char REPLACEMENT = '\uFFFD';

    static final String SOURCE = "ce_source";
    static final String ID = "ce_id";

    HeaderIds {
        names = List.copyOf(names);
    }

    @Override
    public Optional<String> find(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        for (String name : names) {
            Optional<String> id = text(record, name, looked);
            if (id.isPresent()) {
                return id.map(IdKind.HEADER::idOf);
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
        @Nullable Header last = record.headers().lastHeader(name);
        Optional<String> text = last == null ? Optional.empty() : text(last);
        if (text.isEmpty()) {
            // Hardly any id needs a second look. Measured by MessageIdsBenchmark.findsInOnlyHeader.
            text = text(record.headers(), name);
        }
        if (text.isEmpty()) {
            boolean isThere = last != null && last.value() != null;
            looked.add("header " + name + (isThere ? " is blank" : " is missing"));
        }
        return text;
    }

    /** Returns the last text that is not blank. A name that differs only in case counts if no header has the exact name. */
    private static Optional<String> text(Headers headers, String name) throws UnusableId {
        Header[] all = headers.toArray();
        Optional<String> exact = last(all, name::equals);
        return exact.isPresent() ? exact : last(all, name::equalsIgnoreCase);
    }

    private static Optional<String> last(Header[] headers, Predicate<String> isNamed) throws UnusableId {
        for (int i = headers.length - 1; i >= 0; i--) {
            Optional<String> text = isNamed.test(headers[i].key()) ? text(headers[i]) : Optional.empty();
            if (text.isPresent()) {
                return text;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> text(Header header) throws UnusableId {
        byte @Nullable [] value = header.value();
        String text = value == null ? "" : utf8(value, () -> "header " + header.key());
        return MessageId.isBlank(text) ? Optional.empty() : Optional.of(text);
    }

    /** Returns the text of a header if it can be an id. */
    static Optional<String> usable(Headers headers, String name) {
        try {
            return text(headers, name);
        } catch (UnusableId e) {
            return Optional.empty();
        }
    }

    /** Returns whether a header holds an id, usable or not. */
    static boolean isThere(Headers headers, String name) {
        try {
            return text(headers, name).isPresent();
        } catch (UnusableId e) {
            return true;
        }
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
