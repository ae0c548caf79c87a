package io.idempotency.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a message as they are in the topic: key, value and headers, each of which may be absent.
 *
 * @param origin where the bytes come from, so that an operator knows how far to trust them
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of bytes between Kafka and a table; never compared
public record Payload(byte @Nullable [] key, byte @Nullable [] value, List<Header> headers, Origin origin) {

    /** One header, in the order of the message. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Header(String name, byte @Nullable [] value) {}

    /** Where the bytes come from. */
    public enum Origin {
        /** The consumer had the raw bytes. */
        RAW,
        /** Read again from the topic, at the very position of the message. */
        REREAD,
        /** Not readable: besides the position there are only the parts that the consumer still had, such as the headers. */
        POSITION_ONLY,
        /** Not kept, by the user's choice. */
        SWITCHED_OFF
    }

    /** Returns a payload without bytes. */
    public static Payload none(Origin origin) {
        return new Payload(null, null, List.of(), origin);
    }
}
