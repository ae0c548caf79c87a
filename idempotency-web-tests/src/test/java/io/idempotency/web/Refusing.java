package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.RefusedSummary;
import io.idempotency.outbox.Sent;
import io.idempotency.outbox.StoredOutput;
import io.idempotency.store.Payload;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Fills an outbox, without a relay, with what Kafka refuses. */
final class Refusing {

    private Refusing() {}

    static Output output(String topic, String id, String value) {
        return new Output(
                id,
                topic,
                null,
                1_795_860_000_000L,
                "customer-7".getBytes(UTF_8),
                value.getBytes(UTF_8),
                List.of(new Payload.Header("message-id", id.getBytes(UTF_8))));
    }

    /** Adds the outputs and has them refused, with all that waits. Returns the numbers of those of the first one's topic. */
    static List<Long> refuse(OutboxStore store, String reason, Output... outputs) {
        store.add(List.of(outputs), () -> {});
        int read = 1;
        while (read > 0) {
            read = store.relay(100, OutboxStore.Sending.together(waiting -> {
                Map<StoredOutput, String> refused = new HashMap<>();
                waiting.forEach(each -> refused.put(each, reason));
                return new Sent(List.of(), refused, null);
            }));
        }
        return store.refused().list(Optional.of(outputs[0].topic()), 0, 100).stream()
                .map(RefusedSummary::number)
                .toList();
    }
}
