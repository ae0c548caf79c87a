package io.idempotency.kafka;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** Ids read from the deserialized value by a function of the user, or taken from the key. */
record ValueIds<V>(Function<? super V, @Nullable String> id) implements IdSource<V> {

    @Override
    public Optional<String> find(ConsumerRecord<?, ? extends V> record, List<String> looked) throws UnusableId {
        @Nullable V value = record.value();
        if (value == null) {
            looked.add("the value is null");
            return Optional.empty();
        }
        return present("value", read(value), looked);
    }

    private @Nullable String read(V value) throws UnusableId {
        try {
            return id.apply(value);
        } catch (RuntimeException failure) {
            throw new UnusableId("it cannot be read from the value: " + failure, failure);
        }
    }

    static <V> Optional<String> ofRecord(
            Function<? super ConsumerRecord<?, ? extends V>, @Nullable String> id,
            ConsumerRecord<?, ? extends V> record,
            List<String> looked)
            throws UnusableId {
        try {
            return present("record", id.apply(record), looked);
        } catch (RuntimeException failure) {
            throw new UnusableId("it cannot be read from the record: " + failure, failure);
        }
    }

    static Optional<String> ofKey(ConsumerRecord<?, ?> record, List<String> looked) throws UnusableId {
        @Nullable Object key = record.key();
        if (key == null) {
            looked.add("the key is null");
            return Optional.empty();
        }
        return present("key", text(key), looked);
    }

    private static Optional<String> present(String kind, @Nullable String id, List<String> looked) {
        if (id == null || id.isBlank()) {
            looked.add("the id in the " + kind + " is " + (id == null ? "null" : "blank"));
            return Optional.empty();
        }
        return Optional.of(HeaderIds.KIND + kind + ":" + id);
    }

    private static String text(Object key) throws UnusableId {
        if (key instanceof byte[] bytes) {
            return HeaderIds.utf8(bytes, () -> "the key");
        }
        if (key instanceof CharSequence
                || key instanceof UUID
                || key instanceof Long
                || key instanceof Integer
                || key instanceof Short) {
            return key.toString();
        }
        throw new UnusableId("the key is a " + key.getClass().getName()
                + ", not text, bytes, a UUID or a whole number; read the id by a function instead");
    }
}
