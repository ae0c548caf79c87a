package io.idempotency.store;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes ids for messages that have none which can be used. */
public final class StandIn {

    /** Begins with a character that no id of another kind begins with. */
    private static final String KIND = "~none~";

    private StandIn() {}

    /**
     * Returns {@code ~none~}, the position, and a hash of what tells the message apart from others that stood or will stand there, for a log
     * can be cut and a topic created again. The same each time; where the position is not known, another one each time.
     *
     * @param traits what else is the same at each delivery of the message, and not of another one
     */
    public static String of(Position position, byte @Nullable [] key, byte @Nullable [] value, byte... traits) {
        if (position.equals(Position.UNKNOWN)) {
            return KIND + UUID.randomUUID();
        }
        MessageDigest digest = sha256();
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

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
