package io.idempotency;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Sha256;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * Hashes keys: the first eight bytes of the SHA-256 of the bytes that Kafka's own serializers make of a key. So a key has one hash, whether a
 * consumer deserializes it or not. Two keys with one hash only wait for each other.
 */
final class KeyHash {

    /** The hash of a message without a key. */
    static final long NONE = 0;

    private KeyHash() {}

    /**
     * Returns the hash of a key, never {@link #NONE}.
     *
     * @throws IdempotencyException if it is unknown how to serialize the key
     */
    static long of(Object key) {
        long hash = ByteBuffer.wrap(Sha256.of(bytes(key))).getLong();
        return hash == NONE ? 1 : hash;
    }

    private static byte[] bytes(Object key) {
        if (key instanceof byte[] raw) {
            return raw;
        } else if (key instanceof CharSequence || key instanceof UUID) {
            return key.toString().getBytes(UTF_8);
        } else if (key instanceof ByteBuffer buffer) {
            byte[] raw = new byte[buffer.remaining()];
            buffer.duplicate().get(raw);
            return raw;
        } else if (key instanceof Integer number) {
            return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
        } else if (key instanceof Long number) {
            return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
        } else if (key instanceof Short number) {
            return ByteBuffer.allocate(Short.BYTES).putShort(number).array();
        }
        throw new IdempotencyException(
                "The key is a " + key.getClass().getTypeName()
                        + ". Only text, bytes, a ByteBuffer, a UUID, an Integer, a Long or a Short have an order."
                        + " Take a part of it that is one of these, by keyOrder(..), or in Spring by a bean of type KeyExtractor");
    }
}
