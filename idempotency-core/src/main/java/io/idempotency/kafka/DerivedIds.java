package io.idempotency.kafka;

import io.idempotency.store.MessageId;
import io.idempotency.store.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.UUID;

/**
 * Derives the ids of outputs from the id of the handled message. An output has the same id when the message is handled again, so an idempotent
 * receiver skips the repetition. Each id is a UUID made by SHA-256: of version 8, or, if the incoming id is a UUID of version 7, of version 7 with
 * the same time, so that an index of ids grows at its end.
 *
 * <p>{@link MessageIdInterceptor} does this for outputs that a handler sends on its own thread.
 */
public final class DerivedIds {

    private static final long TIME = 0xFFFF_FFFF_FFFF_0000L;
    private static final long VERSION_MASK = 0xFFFF_FFFF_FFFF_0FFFL;
    private static final long VERSION_7 = 0x7000L;
    private static final long VERSION_8 = 0x8000L;
    private static final long RANDOM = 0x0FFFL;
    private static final long VARIANT_MASK = 0x3FFF_FFFF_FFFF_FFFFL;
    private static final long VARIANT = 0x8000_0000_0000_0000L;
    private static final int TEXT_LENGTH = 36;

    private DerivedIds() {}

    /**
     * Returns the id of an output by its number. Use it only for outputs that are sent if and only if the transaction commits, as from an outbox.
     * Otherwise a run that is rolled back may have sent something else under the same number, and both would share one id.
     *
     * @param incoming the id of the handled message, with the consumer that handles it
     * @param number 0 for its first output, 1 for the next
     */
    public static String of(MessageId incoming, int number) {
        return of(incoming, new byte[0], number);
    }

    /** Returns the id of an output of this content; the number tells equal outputs of one run apart. */
    static String of(MessageId incoming, byte[] content, int number) {
        MessageDigest digest = Sha256.digest();
        // Consumer names have no slash, and numbers neither.
        digest.update((incoming.consumer() + "/" + incoming.value() + "/" + number).getBytes(StandardCharsets.UTF_8));
        ByteBuffer hash = ByteBuffer.wrap(digest.digest(content));
        long high = withTimeOf(incoming.value(), (hash.getLong() & VERSION_MASK) | VERSION_8);
        long low = (hash.getLong() & VARIANT_MASK) | VARIANT;
        return new UUID(high, low).toString();
    }

    private static long withTimeOf(String incoming, long high) {
        if (incoming.length() != TEXT_LENGTH) {
            return high;
        }
        try {
            UUID uuid = UUID.fromString(incoming);
            return uuid.version() == 7 ? (uuid.getMostSignificantBits() & TIME) | VERSION_7 | (high & RANDOM) : high;
        } catch (IllegalArgumentException noUuid) {
            return high;
        }
    }
}
