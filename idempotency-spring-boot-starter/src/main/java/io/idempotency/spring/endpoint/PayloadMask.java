package io.idempotency.spring.endpoint;

import io.idempotency.store.Delivery;
import java.util.Optional;

/**
 * Replaces what may not be shown of a quarantined message or a refused output, such as the number of an account. A bean of the application; of several, each one gets what the one
 * before it leaves. The endpoint applies it before it shows, counts or cuts anything, whoever asks. If it fails, the part is not shown. Thread-safe.
 *
 * <pre>{@code
 * @Bean
 * PayloadMask mask() {
 *     return (part, bytes) -> part.kind() == PayloadMask.Kind.HEADER ? Optional.of(bytes) : Optional.empty();
 * }
 * }</pre>
 */
@FunctionalInterface
public interface PayloadMask {

    /** What a part of a message is. */
    enum Kind {
        /** The key of the record. */
        KEY,
        /** The value of the record. */
        VALUE,
        /** The value of a header. */
        HEADER,
        /** The text of the failure with its stack trace, in UTF-8. */
        FAILURE
    }

    /**
     * A part of a quarantined message, or of a refused output.
     *
     * @param delivery the message and its position. For an output the consumer is {@code outbox}, and the position has its topic, its partition or -1, and its
     *     number as the offset
     * @param kind what it is
     * @param header the name of the header; empty for other parts
     */
    record Part(Delivery delivery, Kind kind, String header) {}

    /**
     * Returns the bytes to show.
     *
     * @param bytes the bytes of the part; they may not be changed
     * @return the bytes that may be shown; empty if none may
     */
    Optional<byte[]> masked(Part part, byte[] bytes);
}
