package io.idempotency.store;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes ids for messages without a usable one. */
public final class StandIn {

    /** Begins with a character that no id of another kind begins with. */
    private static final String KIND = "~none~";

    /** Begins ids of messages that have the id of a processed message and another payload. */
    private static final String OTHER = "~other~";

    private StandIn() {}

    /** Returns the id of a message that has the id of a processed message and another payload: {@code ~other~} instead of {@code ~none~}. */
    public static String ofOtherPayload(String standIn) {
        return OTHER + (standIn.startsWith(KIND) ? standIn.substring(KIND.length()) : standIn);
    }

    /** Returns whether the id stands for the one that is in the message, and that belongs to another payload. */
    public static boolean isOfOtherPayload(String id) {
        return id.startsWith(OTHER);
    }

    /**
     * Returns {@code ~none~}, the position, and a hash of key, value and traits, which tells the message from others at the same position after
     * the log was truncated or the topic created again. The id is the same each time; without a position it is another one each time.
     *
     * @param traits further bytes that are the same at each delivery of this message, and differ for others
     */
    public static String of(Position position, byte @Nullable [] key, byte @Nullable [] value, byte... traits) {
        if (position.equals(Position.UNKNOWN)) {
            return KIND + UUID.randomUUID();
        }
        MessageDigest digest = Sha256.digest();
        add(digest, key);
        add(digest, value);
        digest.update(traits);
        return KIND + position + "~" + HexFormat.of().formatHex(digest.digest(), 0, Long.BYTES);
    }

    private static void add(MessageDigest digest, byte @Nullable [] part) {
        int length = part == null ? -1 : part.length;
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(length).flip());
        if (part != null) {
            digest.update(part);
        }
    }
}
