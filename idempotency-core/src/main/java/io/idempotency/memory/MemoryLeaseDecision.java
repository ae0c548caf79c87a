package io.idempotency.memory;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides about a list of wanted leases, delivery by delivery, in the order asked: in each partition, a prefix is granted. */
final class MemoryLeaseDecision {

    private final Instant now;
    private final Instant until;
    private final Set<MessageId> seen = new HashSet<>();
    private final Set<Partition> granting = new HashSet<>();
    private final Map<Partition, Instant> blocked = new HashMap<>();

    private record Partition(String stream, int number) {}

    MemoryLeaseDecision(Instant now, Instant until) {
        this.now = now;
        this.until = until;
    }

    Claim decide(Delivery delivery, @Nullable MemoryRow row) {
        if (row != null && row.isSettled()) {
            return row.answer(delivery, now);
        }
        Partition partition =
                new Partition(delivery.position().stream(), delivery.position().partition());
        boolean copy = !seen.add(delivery.id());
        if (row != null && row.isLive(now)) {
            blocked.putIfAbsent(partition, row.until());
            return Claim.inProgress(delivery, row.attempt(), row.until());
        }
        boolean late = row != null && row.isLeased();
        if (copy || (late && granting.contains(partition))) {
            blocked.putIfAbsent(partition, until);
        }
        Instant end = blocked.get(partition);
        if (end != null) {
            return Claim.inProgress(delivery, 0, end);
        }
        granting.add(partition);
        if (late) {
            // It may have killed its process: nothing behind it is started together with it.
            blocked.put(partition, until);
        }
        return row == null
                ? Claim.leased(delivery, 1, 0, until)
                : Claim.leased(delivery, row.attempt() + 1, row.starts() + (late ? 1 : 0), until);
    }
}
