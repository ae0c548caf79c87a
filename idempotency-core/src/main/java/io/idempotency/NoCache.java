package io.idempotency;

import io.idempotency.store.MessageId;
import java.util.Optional;

/** A cache that is always empty. */
enum NoCache implements DuplicateCache {
    INSTANCE;

    @Override
    public Optional<Known> find(MessageId id) {
        return Optional.empty();
    }

    @Override
    public void remember(MessageId id, Known known) {
        // always empty
    }

    @Override
    public void forget(MessageId id) {
        // always empty
    }

    @Override
    public void clear() {}
}
