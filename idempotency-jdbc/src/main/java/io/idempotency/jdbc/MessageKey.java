package io.idempotency.jdbc;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * The primary key of a message: the number of its consumer and 128 bits made of its id.
 *
 * <p>A canonical lower-case UUID of version 1 to 7 stands for itself, so that time-ordered ids stay together in the index.
 * Every other id is the SHA-256 of its UTF-8 bytes, cut to 128 bits and marked as version 8 (RFC 9562), so that the two
 * kinds never meet. The order is the one of the databases: byte by byte, unsigned.
 */
record MessageKey(int consumer, UUID id) implements Comparable<MessageKey> {

    static UUID idOf(String value) {
        return isCanonical(value) ? UUID.fromString(value) : hashed(value);
    }

    static UUID fromBytes(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new UUID(buffer.getLong(), buffer.getLong());
    }

    static byte[] toBytes(UUID id) {
        return ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    @Override
    public int compareTo(MessageKey other) {
        int order = Integer.compare(consumer, other.consumer);
        order = order != 0
                ? order
                : Long.compareUnsigned(id.getMostSignificantBits(), other.id.getMostSignificantBits());
        return order != 0
                ? order
                : Long.compareUnsigned(id.getLeastSignificantBits(), other.id.getLeastSignificantBits());
    }

    private static boolean isCanonical(String value) {
        if (value.length() != 36 || value.charAt(14) < '1' || value.charAt(14) > '7') {
            return false;
        }
        for (int i = 0; i < 36; i++) {
            char c = value.charAt(i);
            boolean isDash = i == 8 || i == 13 || i == 18 || i == 23;
            boolean isFitting = isDash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            if (!isFitting) {
                return false;
            }
        }
        return true;
    }

    static UUID hashed(String value) {
        UUID cut = fromBytes(sha256().digest(value.getBytes(StandardCharsets.UTF_8)));
        return new UUID(
                (cut.getMostSignificantBits() & ~0xF000L) | 0x8000L,
                (cut.getLeastSignificantBits() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
