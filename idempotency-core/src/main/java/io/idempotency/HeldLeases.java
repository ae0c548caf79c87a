package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the leases of one call, as they stand after the last renewal. The handler's thread completes and releases them, the keeper's
 * thread renews them; one at a time, so that nobody uses the end of a lease that a renewal has just replaced.
 */
final class HeldLeases implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final LeaseKeeper keeper;
    private final Map<Delivery, Claim> leases = new LinkedHashMap<>();
    private final ReentrantLock oneVerb = new ReentrantLock();

    HeldLeases(LeaseKeeper keeper, List<Claim> leased) {
        this.keeper = keeper;
        leased.forEach(lease -> leases.put(lease.delivery(), lease));
        keeper.keep(this);
    }

    /** Returns the lease as it stands now; null if another attempt has taken it. */
    @Nullable
    Claim lease(Delivery delivery) {
        oneVerb.lock();
        try {
            return leases.get(delivery);
        } finally {
            oneVerb.unlock();
        }
    }

    /** Renews the leases that are still owned. Runs on the keeper's thread. */
    void renew() {
        oneVerb.lock();
        try {
            int before = leases.size() + 1;
            while (!leases.isEmpty() && leases.size() < before) {
                before = leases.size();
                renewOrDropLost();
            }
        } catch (RuntimeException e) {
            log.warn(
                    "{} leases could not be renewed; the next try is in a third of their length.",
                    leases.size(),
                    FailureText.loggable(e));
        } finally {
            oneVerb.unlock();
        }
    }

    /** Renews the leases; if some are lost, drops those and renews none. */
    private void renewOrDropLost() {
        try {
            List<Claim> renewed = keeper.store().renew(List.copyOf(leases.values()), keeper.length());
            renewed.forEach(lease -> leases.put(lease.delivery(), lease));
        } catch (ClaimLostException e) {
            log.warn(
                    "{} The handlers of these messages may run twice: a lease must be longer than any pause of this process.",
                    e.getMessage());
            e.lost().forEach(lost -> leases.remove(lost.delivery()));
            keeper.lost(e.lost());
        }
    }

    /**
     * Completes the leases of the deliveries. Returns the deliveries that another attempt has taken.
     *
     * @throws RuntimeException if the store failed; the leases are then kept to be completed with the next poll
     */
    List<Delivery> complete(List<Delivery> deliveries) {
        return end(deliveries, keeper.store()::complete);
    }

    /** Completes the leases of deliveries that have expired, as {@link #complete} does. */
    List<Delivery> expire(List<Delivery> deliveries) {
        return end(deliveries, keeper.store()::expire);
    }

    private List<Delivery> end(List<Delivery> deliveries, Consumer<List<Claim>> verb) {
        oneVerb.lock();
        try {
            List<Delivery> lost = new ArrayList<>();
            List<Claim> own = new ArrayList<>();
            for (Delivery delivery : deliveries) {
                Claim lease = leases.get(delivery);
                if (lease == null) {
                    lost.add(delivery);
                } else {
                    own.add(lease);
                }
            }
            try {
                if (!own.isEmpty()) {
                    verb.accept(own);
                }
            } catch (ClaimLostException e) {
                e.lost().forEach(claim -> lost.add(claim.delivery()));
                keeper.lost(e.lost());
            } catch (RuntimeException e) {
                keeper.completeLater(own);
                throw e;
            } finally {
                deliveries.forEach(leases::remove);
            }
            return lost;
        } finally {
            oneVerb.unlock();
        }
    }

    /** Takes a lease out, so that no renewal changes it while its message is settled; null if another attempt has taken it. */
    @Nullable
    Claim take(Delivery delivery) {
        oneVerb.lock();
        try {
            return leases.remove(delivery);
        } finally {
            oneVerb.unlock();
        }
    }

    /** Puts a lease back that was taken out and not settled. */
    void putBack(Claim lease) {
        oneVerb.lock();
        try {
            leases.put(lease.delivery(), lease);
        } finally {
            oneVerb.unlock();
        }
    }

    /** Notes that the handler of a message was started and failed. The release of the lease records it. */
    void started(Delivery delivery) {
        oneVerb.lock();
        try {
            leases.computeIfPresent(delivery, (key, lease) -> lease.started());
        } finally {
            oneVerb.unlock();
        }
    }

    /** Releases leases whose handlers were not started. A failed release is repeated later, because a lease that ends by itself counts as a start. */
    void release(List<Claim> unstarted) {
        List<Claim> current = List.of();
        oneVerb.lock();
        try {
            current = unstarted.stream()
                    .map(lease -> leases.remove(lease.delivery()))
                    .filter(Objects::nonNull)
                    .toList();
            if (!current.isEmpty()) {
                keeper.store().release(current);
            }
        } catch (ClaimLostException e) {
            log.debug("{}", e.getMessage());
            keeper.lost(e.lost());
        } catch (RuntimeException e) {
            log.warn(
                    "{} leases could not be released; the next try is before the next lease.",
                    current.size(),
                    FailureText.loggable(e));
            keeper.releaseLater(current);
        } finally {
            oneVerb.unlock();
        }
    }

    /** Releases what is left. */
    @Override
    public void close() {
        keeper.drop(this);
        oneVerb.lock();
        try {
            release(List.copyOf(leases.values()));
        } finally {
            oneVerb.unlock();
        }
    }
}
