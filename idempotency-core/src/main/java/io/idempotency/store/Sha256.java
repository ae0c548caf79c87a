package io.idempotency.store;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Digests bytes by SHA-256, which every Java platform has. Thread-safe. */
public final class Sha256 {

    private Sha256() {}

    /** Returns the 32 bytes of the digest. */
    public static byte[] of(byte[] bytes) {
        return digest().digest(bytes);
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
