package io.idempotency.outbox;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of outputs that were to be sent. Those that it does not name stay, and are sent again.
 *
 * @param acknowledged those that Kafka has
 * @param refused those that Kafka will never take, with the reason
 * @param failure why others were not sent; null if there are none
 */
public record Sent(
        List<StoredOutput> acknowledged,
        Map<StoredOutput, String> refused,
        @Nullable RuntimeException failure) {}
