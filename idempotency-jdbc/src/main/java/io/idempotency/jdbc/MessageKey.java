package io.idempotency.jdbc;

import io.idempotency.store.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.UUID;

/**
 * The primary key of a message: the number of its consumer and 128 bits made of its id.
 *
 * <p>A canonical lower-case UUID of version 1 to 7 is its own key, so time-ordered ids stay together in the index.
 * Every other id becomes the SHA-256 of its UTF-8 bytes, cut to 128 bits and marked as version 8 (RFC 9562), so the two
 * kinds never collide. Keys are ordered as in the databases: byte by byte, unsigned.
 */
record MessageKey(int consumer, UUID id) implements Comparable<MessageKey> {

    /** The value of each ASCII character as a lower-case hexadecimal digit; -1 for other characters. */
    private static final byte[] DIGITS = new byte[128];

    static {
        Arrays.fill(DIGITS, (byte) -1);
        for (byte digit = 0; digit < 16; digit++) {
            DIGITS[Character.forDigit(digit, 16)] = digit;
        }
    }

    static UUID idOf(String value) {
        if (value.length() != 36
                || value.charAt(8) != '-'
                || value.charAt(13) != '-'
                || value.charAt(14) < '1'
                || value.charAt(14) > '7'
                || value.charAt(18) != '-'
                || value.charAt(23) != '-') {
            return hashed(value);
        }
        // Not UUID.fromString, which accepts more than the canonical form. Measured by MessageKeyBenchmark.parses.
        int first = hex(value, 0);
        int second = hex(value, 4);
        int third = hex(value, 9);
        int fourth = hex(value, 14);
        int fifth = hex(value, 19);
        int sixth = hex(value, 24);
        int seventh = hex(value, 28);
        int eighth = hex(value, 32);
        return (first | second | third | fourth | fifth | sixth | seventh | eighth) < 0
                ? hashed(value)
                : new UUID(number(first, second, third, fourth), number(fifth, sixth, seventh, eighth));
    }

    private static long number(int first, int second, int third, int fourth) {
        return (long) first << 48 | (long) second << 32 | (long) third << 16 | fourth;
    }

    /** Reads an id: some drivers return its bytes, PostgreSQL's a UUID. */
    static UUID id(ResultSet row, int column) throws SQLException {
        return row.getObject(column) instanceof UUID id ? id : fromBytes(row.getBytes(column));
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

    /** Returns the number that four lower-case hexadecimal digits stand for, or a negative one if there is another character. */
    private static int hex(String value, int begin) {
        char first = value.charAt(begin);
        char second = value.charAt(begin + 1);
        char third = value.charAt(begin + 2);
        char fourth = value.charAt(begin + 3);
        // One branch, which is never mispredicted. Measured by PartBenchmark.decidesOnNewPoll.
        return (first | second | third | fourth) >= DIGITS.length
                ? -1
                : DIGITS[first] << 12 | DIGITS[second] << 8 | DIGITS[third] << 4 | DIGITS[fourth];
    }

    static UUID hashed(String value) {
        return Sha256.uuid(value.getBytes(StandardCharsets.UTF_8));
    }
}
