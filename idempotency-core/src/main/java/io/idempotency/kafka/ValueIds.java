package io.idempotency.kafka;

import io.idempotency.store.IdKind;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MessageId;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** Finds ids in the deserialized value or the record by a function of the user, or takes the key. */
record ValueIds<V>(Function<? super V, ? extends @Nullable Object> id) implements IdSource<V> {

    @Override
    public Optional<String> find(ConsumerRecord<?, ? extends V> record, List<String> looked) throws UnusableId {
        @Nullable V value = record.value();
        if (value == null) {
            looked.add("the value is null");
            return Optional.empty();
        }
        return present(IdKind.VALUE, "the id in the value", read(id, value, "value", record), value(record), looked);
    }

    static <V> Optional<String> ofRecord(
            Function<? super ConsumerRecord<?, ? extends V>, ? extends @Nullable Object> id,
            ConsumerRecord<?, ? extends V> record,
            List<String> looked)
            throws UnusableId {
        return present(
                IdKind.RECORD, "the id in the record", read(id, record, "record", record), value(record), looked);
    }

    static Optional<String> ofKey(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        return present(IdKind.KEY, "the key", record.key(), "", looked);
    }

    private static <T> @Nullable Object read(
            Function<? super T, ? extends @Nullable Object> id, T from, String kind, ConsumerRecord<?, ?> record)
            throws UnusableId {
        try {
            return id.apply(from);
        } catch (InvalidMessageIdException refused) {
            throw new UnusableId(String.valueOf(refused.getMessage()), refused);
        } catch (RuntimeException failure) {
            throw UnusableId.unread("it cannot be read from the " + kind + ": " + failure + value(record), failure);
        }
    }

    /** Describes the value by its type and size, without its content. */
    private static String value(ConsumerRecord<?, ?> record) {
        Object value = record.value();
        if (value == null) {
            return " (the value is null)";
        }
        int size = record.serializedValueSize();
        return " (the value is a " + value.getClass().getTypeName() + (size < 0 ? "" : " of " + size + " bytes") + ")";
    }

    private static Optional<String> present(
            IdKind kind, String place, @Nullable Object found, String from, List<String> looked) throws UnusableId {
        String id = found == null ? "" : text(found, place);
        if (MessageId.isBlank(id)) {
            looked.add(place + " is " + (found == null ? "null" : "blank") + from);
            return Optional.empty();
        }
        return Optional.of(kind.idOf(id));
    }

    /** Returns the text of an object of a type whose texts are unique. */
    private static String text(Object found, String place) throws UnusableId {
        if (found instanceof byte[] bytes) {
            return HeaderIds.utf8(bytes, () -> place);
        }
        if (found instanceof CharSequence
                || found instanceof UUID
                || found instanceof Long
                || found instanceof Integer
                || found instanceof Short
                || found instanceof Byte
                || found instanceof BigInteger) {
            return found.toString();
        }
        throw new UnusableId(place + " is a " + found.getClass().getTypeName()
                + ", not text, bytes of UTF-8, a UUID or a whole number. " + instead(found));
    }

    private static String instead(Object found) {
        if (found instanceof Optional) {
            return "Take what is in it, as by orElse(null)";
        }
        if (found instanceof Double || found instanceof Float || found instanceof BigDecimal) {
            return "Different numbers with a fraction or an exponent may have one text, and one of them several:"
                    + " have it sent as text";
        }
        return "Take a part of it that is one of these";
    }
}
