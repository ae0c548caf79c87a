package io.idempotency.cli;

import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantinedMessage;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A quarantined message for a person: bytes as text, or in hexadecimal if they are none. */
final class ShownMessage {

    /** So many bytes of each part are shown unless more are asked for. */
    static final int MOST_BYTES = 2048;

    private ShownMessage() {}

    static Fields fields(QuarantineEntry entry, int mostBytes) {
        QuarantinedMessage message = entry.message();
        Payload payload = message.payload();
        Optional<Long> timestamp = Optional.of(message.delivery().timestamp()).filter(millis -> millis > 0);
        return Fields.of("consumer", message.delivery().id().consumer())
                .and("id", message.delivery().id().value())
                .and("position", message.delivery().position())
                .and("recordTimestamp", timestamp.map(Instant::ofEpochMilli))
                .and("firstAt", entry.firstAt())
                .and("at", entry.at())
                .and("attempts", message.attempts())
                .and("behind", message.isBehind())
                .and("replay", entry.replay())
                .and("failureType", message.failure().type())
                .and("failureGroup", message.failure().group())
                .and("failure", message.failure().text())
                .and("bytes", payload.origin())
                .and("headers", headers(payload, mostBytes))
                .and("key", shown(payload.key(), mostBytes))
                .and("value", shown(payload.value(), mostBytes));
    }

    private static List<Fields> headers(Payload payload, int mostBytes) {
        return payload.headers().stream()
                .map(header -> Fields.of("name", header.name()).and("value", shown(header.value(), mostBytes)))
                .toList();
    }

    /** Returns the bytes as text, or as {@code hex:} and their digits; null for none. */
    private static @Nullable String shown(byte @Nullable [] bytes, int most) {
        if (bytes == null) {
            return null;
        }
        byte[] first = bytes.length > most ? Arrays.copyOf(bytes, most) : bytes;
        String rest = bytes.length > most ? "… (" + bytes.length + " bytes; all by --full)" : "";
        return text(first, bytes.length > most)
                        .orElseGet(() -> "hex:" + HexFormat.of().formatHex(first))
                + rest;
    }

    /** Returns the text, if the bytes are UTF-8. The last character of cut bytes may be cut, too. */
    private static Optional<String> text(byte[] bytes, boolean isCut) {
        int most = isCut ? 3 : 0;
        for (int cut = 0; cut <= most && cut <= bytes.length; cut++) {
            try {
                return Optional.of(StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes, 0, bytes.length - cut))
                        .toString());
            } catch (CharacterCodingException e) {
                // No text, or not up to here.
            }
        }
        return Optional.empty();
    }
}
