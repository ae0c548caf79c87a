package io.idempotency;

import io.idempotency.store.MessageId;
import java.util.Optional;

/** Knows nothing. */
enum NoCache implements DuplicateCache {
    INSTANCE;

    @Override
    public Optional<Known> find(MessageId id) {
        return Optional.empty();
    }

    @Override
    public void remember(MessageId id, Known known) {
        // knows nothing
    }

    @Override
    public void forget(MessageId id) {
        // knows nothing
    }
}
