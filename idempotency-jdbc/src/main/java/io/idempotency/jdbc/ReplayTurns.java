package io.idempotency.jdbc;

import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The turns of nodes at partitions: leases of a reserved consumer in the table of messages, one for each consumer and partition. The row stays when a turn
 * ends. Thread-safe.
 */
final class ReplayTurns {

    private final LeaseStore leases;
    private final Map<Turn, Claim> held = new ConcurrentHashMap<>();

    private record Turn(String consumer, Partition partition, String node) {

        Delivery delivery() {
            String name = consumer + '\0' + partition.stream() + '\0' + partition.number();
            return new Delivery(
                    new MessageId(JdbcReplays.CONSUMER, StoredId.hash(name).toString()), Position.UNKNOWN);
        }
    }

    ReplayTurns(LeaseStore leases) {
        this.leases = leases;
    }

    boolean take(String consumer, Partition partition, String node, Duration length) {
        Turn turn = new Turn(consumer, partition, node);
        Claim mine = held.get(turn);
        if (mine != null) {
            try {
                held.put(turn, leases.renew(List.of(mine), length).get(0));
                return true;
            } catch (ClaimLostException e) {
                // It ended, and another node took it; that turn may have ended, too.
                held.remove(turn);
            }
        }
        Claim answer = leases.lease(List.of(turn.delivery()), length).get(0);
        if (answer.isGranted()) {
            held.put(turn, answer);
        }
        return answer.isGranted();
    }

    void end(String consumer, Partition partition, String node) {
        Claim mine = held.remove(new Turn(consumer, partition, node));
        if (mine != null) {
            try {
                leases.release(List.of(mine));
            } catch (ClaimLostException e) {
                // It ended, and another node took it.
            }
        }
    }
}
