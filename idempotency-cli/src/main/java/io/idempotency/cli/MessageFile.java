package io.idempotency.cli;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Quarantined messages in a file: one JSON object in each line, with everything that the quarantine keeps. Bytes that are UTF-8 are {@code {"text": ..}}, so that a
 * person can mend them; others are {@code {"base64": ..}}.
 */
final class MessageFile {

    private static final JsonMapper JSON = JsonMapper.shared();

    private MessageFile() {}

    /** Returns the line of a message. */
    static String line(QuarantinedMessage message) {
        Delivery delivery = message.delivery();
        Position position = delivery.position();
        Payload payload = message.payload();
        return JSON.writeValueAsString(Fields.of("consumer", delivery.id().consumer())
                .and("id", delivery.id().value())
                .and("topic", position.stream())
                .and("partition", position.partition())
                .and("offset", position.offset())
                .and("timestamp", delivery.timestamp())
                .and("failureType", message.failure().type())
                .and("failureGroup", message.failure().group())
                .and("failure", message.failure().text())
                .and("attempts", message.attempts())
                .and("keyHash", Long.toHexString(message.keyHash()))
                .and("behind", message.isBehind())
                .and("doubtful", message.isDoubtful())
                .and("origin", payload.origin())
                .and("headers", headers(payload))
                .and("key", bytes(payload.key()))
                .and("value", bytes(payload.value())));
    }

    private static List<Fields> headers(Payload payload) {
        return payload.headers().stream()
                .map(header -> Fields.of("name", header.name()).and("value", bytes(header.value())))
                .toList();
    }

    private static @Nullable Fields bytes(byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        try {
            return Fields.of("text", StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)));
        } catch (CharacterCodingException e) {
            return Fields.of("base64", Base64.getEncoder().encodeToString(bytes));
        }
    }

    /**
     * Reads the message of a line.
     *
     * @throws IdempotencyException if it is none; the sentence names what is wrong
     */
    static QuarantinedMessage message(String line) {
        try {
            JsonNode json = JSON.readTree(line);
            Delivery delivery = new Delivery(
                    new MessageId(text(json, "consumer"), text(json, "id")),
                    new Position(
                            text(json, "topic"),
                            number(json, "partition").intValueExact(),
                            number(json, "offset").longValueExact()),
                    number(json, "timestamp").longValueExact());
            QuarantineFailure failure =
                    new QuarantineFailure(text(json, "failureType"), text(json, "failureGroup"), text(json, "failure"));
            return new QuarantinedMessage(
                    delivery,
                    payload(json),
                    failure,
                    number(json, "attempts").intValueExact(),
                    Long.parseUnsignedLong(text(json, "keyHash"), 16),
                    json.path("behind").asBoolean(false),
                    json.path("doubtful").asBoolean(false));
        } catch (JacksonException | IllegalArgumentException | ArithmeticException e) {
            throw new IdempotencyException("This is no exported message: " + e.getMessage(), e);
        }
    }

    private static Payload payload(JsonNode json) {
        List<Payload.Header> headers = new ArrayList<>();
        for (JsonNode header : json.path("headers")) {
            headers.add(new Payload.Header(text(header, "name"), bytes(header, "value")));
        }
        return new Payload(
                bytes(json, "key"), bytes(json, "value"), headers, Payload.Origin.valueOf(text(json, "origin")));
    }

    private static String text(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.isString()) {
            throw new IllegalArgumentException("\"" + field + "\" has to be text");
        }
        return value.asString();
    }

    private static BigInteger number(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.isIntegralNumber()) {
            throw new IllegalArgumentException("\"" + field + "\" has to be a whole number");
        }
        return value.bigIntegerValue();
    }

    private static byte @Nullable [] bytes(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (value.isNull()) {
            return null;
        }
        if (value.path("text").isString()) {
            return value.path("text").asString().getBytes(StandardCharsets.UTF_8);
        }
        if (value.path("base64").isString()) {
            return Base64.getDecoder().decode(value.path("base64").asString());
        }
        throw new IllegalArgumentException("\"" + field + "\" has to be null, {\"text\": ..} or {\"base64\": ..}");
    }
}
