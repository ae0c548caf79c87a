package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.Optional;

/** What a consumer was built with; each component is described at the builder's method of the same name. */
record Settings<M>(
        String name,
        ClaimStore store,
        TransactionRunner transactions,
        MessageIdExtractor<? super M> messageId,
        MessageReader<? super M> reader,
        ConsistencyLevel level,
        TransactionPer transactionPer,
        FailurePolicy failures,
        Optional<QuarantineStore> quarantine,
        boolean keepPayloads,
        int standStillAfter,
        DuplicateCache cache,
        ConsumptionListener listener,
        int chunkRecords,
        Duration chunkTime,
        Duration lease,
        Optional<MessageScope<? super M>> scope) {}
