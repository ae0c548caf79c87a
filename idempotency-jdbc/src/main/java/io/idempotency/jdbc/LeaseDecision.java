package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides which deliveries are leased: in each partition, those before the first one in progress. Has no side effects; the caller has locked the
 * rows.
 */
final class LeaseDecision {

    /** A partition of a stream. */
    private record Partition(String stream, int number) {}

    private final MessageLookup asked;
    private final Map<MessageKey, MessageRow> rows;
    private final long lengthMicros;
    private final Map<Partition, Long> blocked = new HashMap<>();
    private final Set<Partition> granting = new HashSet<>();
    private final Map<MessageKey, MessageRow> granted = new HashMap<>();

    /**
     * @param rows all rows of the messages; rows that the caller has just inserted are granted
     * @param lengthMicros the length of a lease, counted from the read of its row
     */
    LeaseDecision(MessageLookup asked, Map<MessageKey, MessageRow> rows, long lengthMicros) {
        this.asked = asked;
        this.rows = rows;
        this.lengthMicros = lengthMicros;
    }

    /** The answer for one delivery: leased, settled, or in progress until the given moment. */
    record Answer(Delivery delivery, MessageRow row, boolean isLeased, int attempt, long until) {}

    List<Answer> decide() {
        List<Answer> answers = new ArrayList<>();
        Set<MessageKey> seen = new HashSet<>();
        for (int i = 0; i < asked.deliveries().size(); i++) {
            MessageKey key = asked.keys().get(i);
            MessageRow row = rows.get(key);
            if (row == null) {
                throw new IllegalStateException(
                        "No row for " + asked.deliveries().get(i));
            }
            answers.add(decide(asked.deliveries().get(i), row, seen.add(key)));
        }
        return answers;
    }

    /** Returns the leases to write, by key. An inserted row that is not among them must be deleted. */
    Map<MessageKey, MessageRow> granted() {
        return granted;
    }

    private Answer decide(Delivery delivery, MessageRow row, boolean isFirst) {
        if (row.state().isSettled()) {
            return new Answer(delivery, row, false, 0, 0);
        }
        Partition partition =
                new Partition(delivery.position().stream(), delivery.position().partition());
        if (!row.isGranted() && !row.isFree()) {
            blocked.putIfAbsent(partition, row.until());
            return new Answer(delivery, row, false, row.state().attempt(), row.until());
        }
        boolean isOverdue = row.state().status() == MessageState.Status.LEASED && !row.isGranted();
        MessageRow lease = leased(delivery, row, isOverdue);
        if (!isFirst || (isOverdue && granting.contains(partition))) {
            blocked.putIfAbsent(partition, lease.at());
        }
        Long until = blocked.get(partition);
        if (until != null) {
            return new Answer(delivery, row, false, 0, until);
        }
        granting.add(partition);
        granted.put(row.key(), lease);
        if (isOverdue) {
            // It may have killed its process: no later message is leased together with it.
            blocked.put(partition, lease.at());
        }
        return new Answer(delivery, lease, true, lease.state().attempt(), lease.at());
    }

    private MessageRow leased(Delivery delivery, MessageRow row, boolean isOverdue) {
        if (row.isGranted()) {
            return row;
        }
        MessageArrival arrival = asked.arrivals().get(row.key());
        if (arrival == null) {
            throw new IllegalStateException("No arrival for " + delivery);
        }
        MessageState state = row.state();
        MessageState next = MessageState.leased(state.attempt() + 1, state.starts() + (isOverdue ? 1 : 0));
        return row.granted(arrival, next, row.now() + lengthMicros);
    }
}
