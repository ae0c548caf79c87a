package io.idempotency.streams;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Printable;
import io.idempotency.store.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of topics, and their names in the store, beside the ids. A number is a hash of the name, so two owners of a partition that do not know each
 * other give a topic the same one. Not thread-safe.
 */
final class TopicNames {

    /** The bytes of an id. Other keys have fewer, so the two never meet. */
    static final int ID_BYTES = 16;

    private static final int KEY_BYTES = 5;

    private final KeyValueStore<Bytes, byte[]> store;
    private final Map<String, Integer> numbers = new HashMap<>();
    private final Map<Integer, Optional<String>> names = new HashMap<>();

    TopicNames(KeyValueStore<Bytes, byte[]> store) {
        this.store = store;
    }

    /**
     * Returns the number of a topic. The name is stored when it is met first.
     *
     * @throws IdempotencyException if another topic of this store has the same number
     */
    int number(String topic) {
        Integer known = numbers.get(topic);
        return known != null ? known : learn(topic);
    }

    /** Returns the name of a topic by its number; it is looked up once. */
    Optional<String> name(int number) {
        return names.computeIfAbsent(number, unknown -> name(unknown, store::get));
    }

    private int learn(String topic) {
        byte[] name = topic.getBytes(StandardCharsets.UTF_8);
        int number = ByteBuffer.wrap(Sha256.of(name)).getInt();
        Optional<String> stored = name(number, store::get);
        if (stored.isEmpty()) {
            store.put(key(number), name);
        } else if (!stored.get().equals(topic)) {
            throw new IdempotencyException("The topics " + Printable.of(topic) + " and " + Printable.of(stored.get())
                    + " have one hash, so the state store " + store.name()
                    + " cannot tell their offsets apart. Give each a deduplication of its own, with another name");
        }
        numbers.put(topic, number);
        return number;
    }

    /** Returns the name of a topic by its number, as a store answers. */
    static Optional<String> name(int number, Function<Bytes, byte @Nullable []> store) {
        return Optional.ofNullable(store.apply(key(number))).map(name -> new String(name, StandardCharsets.UTF_8));
    }

    static boolean isTopic(Bytes key) {
        return key.get().length == KEY_BYTES && key.get()[0] == 'T';
    }

    private static Bytes key(int number) {
        return Bytes.wrap(
                ByteBuffer.allocate(KEY_BYTES).put((byte) 'T').putInt(number).array());
    }
}
