package io.idempotency.store;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** Digests bytes by SHA-256, which every Java platform has. Thread-safe. */
public final class Sha256 {

    private Sha256() {}

    /** Returns the 32 bytes of the digest. */
    public static byte[] of(byte[] bytes) {
        return digest().digest(bytes);
    }

    /** Returns the first 128 bits of the digest, as a UUID of version 8 (RFC 9562). */
    public static UUID uuid(byte[] bytes) {
        ByteBuffer digest = ByteBuffer.wrap(of(bytes));
        return new UUID(
                (digest.getLong() & ~0xF000L) | 0x8000L,
                (digest.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L);
    }

    /** Returns a digest to add to, which is not thread-safe. */
    public static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
