package io.idempotency.spring.endpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.json.JsonParseException;
import org.springframework.boot.json.JsonParserFactory;

/** Shows the bytes of a quarantined message or a refused output, masked and cut. Used for one answer. */
final class ShownPayload {

    private static final Logger log = LoggerFactory.getLogger(PayloadMask.class);

    private final Delivery delivery;
    private final Payload payload;
    private final List<PayloadMask> masks;
    private final int mostBytes;

    ShownPayload(Delivery delivery, Payload payload, List<PayloadMask> masks, int mostBytes) {
        this.delivery = delivery;
        this.payload = payload;
        this.masks = masks;
        this.mostBytes = mostBytes;
    }

    Answers.@Nullable Bytes key() {
        return shown(PayloadMask.Kind.KEY, "", payload.key());
    }

    Answers.@Nullable Bytes value() {
        return shown(PayloadMask.Kind.VALUE, "", payload.value());
    }

    List<Answers.Header> headers() {
        return payload.headers().stream()
                .map(header -> new Answers.Header(
                        header.name(), shown(PayloadMask.Kind.HEADER, header.name(), header.value())))
                .toList();
    }

    @Nullable
    String failure(String text) {
        return masked(PayloadMask.Kind.FAILURE, "", text.getBytes(UTF_8))
                .map(bytes -> new String(bytes, UTF_8))
                .orElse(null);
    }

    /** Returns the names of the headers without their values. */
    static List<Answers.Header> names(Payload payload) {
        return payload.headers().stream()
                .map(header -> new Answers.Header(header.name(), null))
                .toList();
    }

    private Answers.@Nullable Bytes shown(PayloadMask.Kind kind, String header, byte @Nullable [] bytes) {
        return Optional.ofNullable(bytes)
                .flatMap(each -> masked(kind, header, each))
                .map(this::shown)
                .orElse(null);
    }

    private Optional<byte[]> masked(PayloadMask.Kind kind, String header, byte[] bytes) {
        PayloadMask.Part part = new PayloadMask.Part(delivery, kind, header);
        Optional<byte[]> left = Optional.of(bytes);
        try {
            for (PayloadMask mask : masks) {
                left = left.flatMap(each -> mask.masked(part, each));
            }
            return left;
        } catch (RuntimeException e) {
            log.warn("A PayloadMask failed at the {} of {}, so that is not shown.", kind, delivery, e);
            return Optional.empty();
        }
    }

    private Answers.Bytes shown(byte[] bytes) {
        boolean isCut = bytes.length > mostBytes;
        byte[] first = isCut ? Arrays.copyOf(bytes, mostBytes) : bytes;
        Optional<String> text = text(first, isCut);
        return new Answers.Bytes(
                text.map(each -> !isCut && isJson(each) ? "json" : "text").orElse("hex"),
                text.orElseGet(() -> HexFormat.of().formatHex(first)),
                bytes.length,
                isCut);
    }

    /** Returns the text, if the bytes are UTF-8. The last character of cut bytes may be cut, too. */
    private static Optional<String> text(byte[] bytes, boolean isCut) {
        int most = isCut ? 3 : 0;
        for (int cut = 0; cut <= most && cut <= bytes.length; cut++) {
            try {
                return Optional.of(UTF_8.newDecoder()
                        .decode(ByteBuffer.wrap(bytes, 0, bytes.length - cut))
                        .toString());
            } catch (CharacterCodingException e) {
                // No text, or not up to here.
            }
        }
        return Optional.empty();
    }

    /** Only objects and arrays: a number is better shown as it is. */
    private static boolean isJson(String text) {
        String stripped = text.strip();
        try {
            if (stripped.startsWith("{")) {
                JsonParserFactory.getJsonParser().parseMap(stripped);
                return true;
            }
            if (stripped.startsWith("[")) {
                JsonParserFactory.getJsonParser().parseList(stripped);
                return true;
            }
            return false;
        } catch (JsonParseException e) {
            return false;
        }
    }
}
