package io.idempotency.spring;

import io.idempotency.outbox.OutboxListener;
import io.idempotency.outbox.OutboxRelay;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.StoredOutput;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** Runs the relay of the outbox while the application runs: it starts before the listeners, and ends after them. Thread-safe. */
final class RunningRelay implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final OutboxStore store;
    private final OutboxRelay.Builder builder;
    private volatile @Nullable OutboxRelay relay;

    RunningRelay(OutboxStore store, OutboxRelay.Builder builder, List<OutboxListener> listeners) {
        this.store = store;
        this.builder = builder.listener(new All(listeners));
    }

    private record All(List<OutboxListener> listeners) implements OutboxListener {

        @Override
        public void onSent(int outputs) {
            listeners.forEach(each -> each.onSent(outputs));
        }

        @Override
        public void onRefused(StoredOutput output, String reason) {
            listeners.forEach(each -> each.onRefused(output, reason));
        }

        @Override
        public void onFailed(Throwable failure, int inARow) {
            listeners.forEach(each -> each.onFailed(failure, inARow));
        }
    }

    /** Wakes the relay; tells those of other processes if this one does not run yet, or no longer. */
    void wake() {
        OutboxRelay running = relay;
        if (running != null) {
            running.wake();
        } else {
            store.announce();
        }
    }

    Optional<OutboxRelay.Trouble> trouble() {
        OutboxRelay running = relay;
        return running == null ? Optional.empty() : running.trouble();
    }

    /** Returns the counts of the outbox; see {@link OutboxRelay#counted}. */
    Optional<OutboxRelay.Counted> counted() {
        OutboxRelay running = relay;
        return running == null ? Optional.empty() : running.counted();
    }

    @Override
    public synchronized void start() {
        if (relay == null) {
            relay = builder.start();
            log.info("The relay of the outbox runs.");
        }
    }

    @Override
    public synchronized void stop() {
        OutboxRelay running = relay;
        if (running != null) {
            running.close();
            relay = null;
        }
    }

    @Override
    public boolean isRunning() {
        return relay != null;
    }

    /** Listener containers have a later phase. */
    @Override
    public int getPhase() {
        return 0;
    }
}
