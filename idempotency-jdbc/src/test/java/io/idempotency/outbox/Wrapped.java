package io.idempotency.outbox;

import java.util.List;
import java.util.function.Function;

/** A store whose relay meets something after sending. */
public abstract class Wrapped implements OutboxStore {

    private final OutboxStore store;

    protected Wrapped(OutboxStore store) {
        this.store = store;
    }

    protected abstract Sent afterSending(Sent sent);

    @Override
    public void add(List<Output> outputs, Runnable afterCommit) {
        store.add(outputs, afterCommit);
    }

    @Override
    public int relay(int most, Function<List<StoredOutput>, Sent> sending) {
        return store.relay(most, outputs -> afterSending(sending.apply(outputs)));
    }

    @Override
    public void announce() {
        store.announce();
    }

    @Override
    public Listening listen(Runnable action) {
        return store.listen(action);
    }

    @Override
    public OutboxTotal total() {
        return store.total();
    }

    @Override
    public RefusedOutputs refused() {
        return store.refused();
    }

    @Override
    public boolean isWithClaims() {
        return store.isWithClaims();
    }
}
