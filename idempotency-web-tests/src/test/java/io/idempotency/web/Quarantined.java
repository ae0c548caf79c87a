package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;

/** A quarantined message with what a test says, and the rest fixed. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Quarantined(
        String consumer, String id, long offset, byte[] value, String failure, long keyHash, boolean isBehind) {

    static final String TOPIC = "orders";
    static final int PARTITION = 3;
    private static final long TIMESTAMP = 1_795_860_000_000L;

    static Quarantined of(String consumer, String id, long offset) {
        return new Quarantined(
                consumer,
                id,
                offset,
                ("{\"order\":\"" + offset + "\"}").getBytes(UTF_8),
                "java.sql.SQLException",
                0,
                false);
    }

    Quarantined value(byte[] bytes) {
        return new Quarantined(consumer, id, offset, bytes, failure, keyHash, isBehind);
    }

    Quarantined failure(String type) {
        return new Quarantined(consumer, id, offset, value, type, keyHash, isBehind);
    }

    Quarantined key(long hash, boolean behind) {
        return new Quarantined(consumer, id, offset, value, failure, hash, behind);
    }

    /** Returns the group of a failure class. */
    static String group(String failure) {
        return "g-" + failure.length();
    }

    QuarantinedMessage message() {
        List<Payload.Header> headers =
                List.of(new Payload.Header("message-id", id.getBytes(UTF_8)), new Payload.Header("empty", null));
        return new QuarantinedMessage(
                new Delivery(new MessageId(consumer, id), new Position(TOPIC, PARTITION, offset), TIMESTAMP),
                new Payload("customer-7".getBytes(UTF_8), value, headers, Payload.Origin.RAW),
                new QuarantineFailure(
                        failure,
                        group(failure),
                        failure + ": value too long\n\tat billing.Ledger.write(Ledger.java:31)"),
                10,
                keyHash,
                isBehind);
    }
}
