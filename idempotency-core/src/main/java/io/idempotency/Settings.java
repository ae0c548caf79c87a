package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.Optional;

/** The settings of a consumer. The builder's method of the same name describes each value. */
record Settings<M>(
        String name,
        ConsistencyLevel level,
        Storage storage,
        Messages<M> messages,
        Failures failures,
        Chunks chunks,
        ConsumptionListener listener,
        boolean isShadow) {

    /** Where processed messages are remembered, and how transactions there are run. */
    record Storage(ClaimStore store, TransactionRunner transactions, DuplicateCache cache, Duration lease) {}

    /** How messages are read and compared, what surrounds the work on them, and where their keys are if the order of keys is kept. */
    record Messages<M>(
            MessageIdExtractor<? super M> id,
            MessageReader<? super M> reader,
            MessageExpiry<? super M> expiry,
            Optional<MessageScope<? super M>> scope,
            Optional<ResendCheck<? super M>> resends,
            Optional<KeyReading<M>> key) {}

    /** What becomes of messages that fail. */
    record Failures(
            FailurePolicy policy, Optional<QuarantineStore> quarantine, boolean keepPayloads, int standStillAfter) {}

    /** How many messages share a transaction, and how long a call goes on beginning new work. */
    record Chunks(TransactionPer per, int records, Duration time) {}
}
