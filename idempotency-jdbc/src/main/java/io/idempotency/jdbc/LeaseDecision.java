package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which deliveries are leased: per partition those before the first one that is in progress. Pure; the rows are
 * locked by the caller.
 */
final class LeaseDecision {

    /** A stream's partition. */
    private record Partition(String stream, int number) {}

    /** What stands in the way in a partition. */
    private record Obstacle(long until) {}

    private final Asked asked;
    private final Map<MessageKey, Row> rows;
    private final long lengthMicros;
    private final Map<Partition, Obstacle> obstacles = new HashMap<>();
    private final Set<Partition> granting = new HashSet<>();
    private final Map<MessageKey, Row> granted = new HashMap<>();

    /**
     * @param rows all rows of what is asked; those that were inserted just now are granted
     * @param lengthMicros what a lease lasts beyond the moment its row was read
     */
    LeaseDecision(Asked asked, Map<MessageKey, Row> rows, long lengthMicros) {
        this.asked = asked;
        this.rows = rows;
        this.lengthMicros = lengthMicros;
    }

    /** One answer per delivery: leased, settled, or in progress until the moment given. */
    record Answer(Delivery delivery, Row row, boolean isLeased, int attempt, long until) {}

    List<Answer> decide() {
        List<Answer> answers = new ArrayList<>();
        Set<MessageKey> seen = new HashSet<>();
        for (int i = 0; i < asked.deliveries().size(); i++) {
            MessageKey key = asked.keys().get(i);
            Row row = rows.get(key);
            if (row == null) {
                throw new IllegalStateException(
                        "No row for " + asked.deliveries().get(i));
            }
            answers.add(decide(asked.deliveries().get(i), row, seen.add(key)));
        }
        return answers;
    }

    /** The leases to be written, by key; an inserted row that is not among them must go. */
    Map<MessageKey, Row> granted() {
        return granted;
    }

    private Answer decide(Delivery delivery, Row row, boolean isFirst) {
        if (row.state().isSettled()) {
            return new Answer(delivery, row, false, 0, 0);
        }
        Partition partition =
                new Partition(delivery.position().stream(), delivery.position().partition());
        @Nullable Obstacle obstacle = obstacles.get(partition);
        boolean isOverdue = row.state().status() == State.Status.LEASED && !row.isGranted();
        if (obstacle == null && isFirst && canLease(row) && !(isOverdue && granting.contains(partition))) {
            Row leased = leased(delivery, row, isOverdue);
            granted.put(row.key(), leased);
            granting.add(partition);
            if (isOverdue) {
                obstacles.put(partition, new Obstacle(leased.at()));
            }
            return new Answer(delivery, leased, true, leased.state().attempt(), leased.at());
        }
        Row standing = granted.getOrDefault(row.key(), row);
        long until = isOverdue || !isFirst || obstacle == null ? standing.at() : obstacle.until();
        obstacles.putIfAbsent(partition, new Obstacle(until));
        boolean isHeld = granted.containsKey(row.key()) || isOverdue;
        return new Answer(delivery, standing, false, isHeld ? standing.state().attempt() : 0, until);
    }

    private static boolean canLease(Row row) {
        return row.isGranted() || row.isFree();
    }

    private Row leased(Delivery delivery, Row row, boolean isOverdue) {
        if (row.isGranted()) {
            return row;
        }
        Arrival arrival = asked.arrivals().get(row.key());
        if (arrival == null) {
            throw new IllegalStateException("No arrival for " + delivery);
        }
        State state = row.state();
        State next = State.leased(state.attempt() + 1, state.starts() + (isOverdue ? 1 : 0));
        return row.granted(arrival, next, row.now() + lengthMicros);
    }
}
