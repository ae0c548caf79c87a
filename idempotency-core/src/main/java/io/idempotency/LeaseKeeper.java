package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.LeaseStore;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Renews the leases of running handlers, every third of their length, on one daemon thread. Thread-safe. */
final class LeaseKeeper implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final LeaseStore store;
    private final Duration length;
    private final String consumer;
    private final Set<HeldLeases> held = ConcurrentHashMap.newKeySet();
    private final Queue<LeftOver> leftOvers = new ConcurrentLinkedQueue<>();
    private final Clockwork.Ticks ticks;
    private final Consumer<List<Claim>> lost;
    private @Nullable Runnable stopper;
    private boolean isClosed;

    LeaseKeeper(LeaseStore store, Duration length, String consumer) {
        this(store, length, consumer, Clockwork.of(System::nanoTime).ticks(), leases -> {});
    }

    /** @param lost is told of leases that other attempts have taken, each once */
    LeaseKeeper(LeaseStore store, Duration length, String consumer, Clockwork.Ticks ticks, Consumer<List<Claim>> lost) {
        this.store = store;
        this.length = length;
        this.consumer = consumer;
        this.ticks = ticks;
        this.lost = lost;
    }

    LeaseStore store() {
        return store;
    }

    Duration length() {
        return length;
    }

    /** Tells of leases that other attempts have taken. */
    void lost(List<Claim> leases) {
        lost.accept(leases);
    }

    /** Renews the leases from now on, until {@link #drop}. */
    synchronized void keep(HeldLeases leases) {
        held.add(leases);
        start();
    }

    synchronized void drop(HeldLeases leases) {
        held.remove(leases);
        if (isClosed) {
            close();
        }
    }

    /** Leases that the store could not complete or release, with the call to repeat. */
    private record LeftOver(List<Claim> leases, Consumer<List<Claim>> end, String whatNow) {}

    /** Keeps leases that the store could not complete although their handlers ran. */
    void completeLater(List<Claim> leases) {
        leftOvers.add(new LeftOver(leases, store::complete, "Their handlers ran and will run again"));
    }

    /** Keeps leases that the store could not release. One that ends by itself counts as a handler that never came back. */
    void releaseLater(List<Claim> leases) {
        leftOvers.add(new LeftOver(leases, store::release, "One that ended counts as a start of its handler"));
    }

    /** Completes or releases the leases that are left over, if they are still owned. */
    void endLeftOvers() {
        for (LeftOver left = leftOvers.peek(); left != null; left = leftOvers.peek()) {
            try {
                left.end().accept(left.leases());
            } catch (ClaimLostException e) {
                log.warn("{} {}.", e.getMessage(), left.whatNow());
                lost(e.lost());
            } catch (RuntimeException e) {
                if (store.transactions().isTransient(e)) {
                    throw e;
                }
                log.warn(
                        "{} leases can be neither completed nor released. {}.",
                        left.leases().size(),
                        left.whatNow(),
                        FailureText.loggable(e));
            }
            leftOvers.remove(left);
        }
    }

    private void start() {
        if (stopper == null) {
            Duration third = Duration.ofMillis(Math.max(1, length.toMillis() / 3));
            stopper = ticks.every(third, "idempotency-leases-" + consumer, this::renewAll);
        }
    }

    private void renewAll() {
        for (HeldLeases leases : held) {
            try {
                leases.renew();
            } catch (Throwable e) {
                // An error would end the schedule, and with it every later lease.
                log.error(
                        "Leases could not be renewed; the next try is in a third of their length.",
                        FailureText.loggable(e));
            }
        }
    }

    /** Ends the thread as soon as nothing is held any more: the leases of running handlers are renewed until they end. */
    @Override
    public synchronized void close() {
        isClosed = true;
        if (stopper != null && held.isEmpty()) {
            stopper.run();
            stopper = null;
        }
    }
}
