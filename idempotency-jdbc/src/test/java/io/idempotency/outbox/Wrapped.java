package io.idempotency.outbox;

import java.util.List;

/** A store whose relay meets something before it begins to send the outputs of a part, or after sending. */
public abstract class Wrapped implements OutboxStore {

    private final OutboxStore store;

    protected Wrapped(OutboxStore store) {
        this.store = store;
    }

    /** Nothing, unless a test overrides it. */
    protected void beforeAdding() {}

    protected abstract Sent afterSending(Sent sent);

    @Override
    public void add(List<Output> outputs, Runnable afterCommit) {
        store.add(outputs, afterCommit);
    }

    @Override
    public int relay(int most, Sending sending) {
        return store.relay(most, new Sending() {
            @Override
            public void add(List<StoredOutput> outputs) {
                beforeAdding();
                sending.add(outputs);
            }

            @Override
            public Sent await() {
                return afterSending(sending.await());
            }
        });
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
