package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.List;
import java.util.function.ToIntFunction;

/** The lease of a run of the purge, so that one node purges at a time. Confined to the run. */
final class PurgeTurn {

    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final Delivery RUN = new Delivery(new MessageId(Purger.CONSUMER, "run"), Position.UNKNOWN);

    private final LeaseStore leases;
    private Claim claim;
    private long renewedNanos = System.nanoTime();

    private PurgeTurn(LeaseStore leases, Claim claim) {
        this.leases = leases;
        this.claim = claim;
    }

    /**
     * Runs a task with the lease, unless another node has it.
     *
     * @param task is given what renews the lease, to be called after each batch
     * @return what the task returned; 0 if another node has the lease
     */
    static int run(LeaseStore leases, ToIntFunction<Runnable> task) {
        Claim granted = leases.lease(List.of(RUN), LEASE).get(0);
        if (!granted.isGranted()) {
            return 0;
        }
        PurgeTurn turn = new PurgeTurn(leases, granted);
        int result;
        try {
            result = task.applyAsInt(turn::renew);
        } catch (RuntimeException | Error e) {
            turn.release(e);
            throw e;
        }
        leases.release(List.of(turn.claim));
        return result;
    }

    private void renew() {
        if (System.nanoTime() - renewedNanos > LEASE.toNanos() / 3) {
            claim = leases.renew(List.of(claim), LEASE).get(0);
            renewedNanos = System.nanoTime();
        }
    }

    private void release(Throwable failure) {
        try {
            leases.release(List.of(claim));
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
