package io.idempotency.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;

/** Sends records, some of them as copies, and knows which of them are bad. */
final class Producer {

    private static final int KEYS = 2;

    private final Simulation simulation;
    private final SimulatedLog log;
    private final Set<String> ids = new LinkedHashSet<>();
    private final Deque<String> toSend = new ArrayDeque<>();
    private final Set<String> poison = new HashSet<>();
    private final Set<String> killers = new HashSet<>();
    private final Set<String> unreadable = new HashSet<>();

    Producer(Simulation simulation, SimulatedLog log) {
        this.simulation = simulation;
        this.log = log;
        int records = 4 + simulation.choices().below(24);
        for (int i = 0; i < records; i++) {
            boolean isCopy = i > 0 && simulation.choices().oneIn(4);
            String id = "m" + (isCopy ? simulation.choices().below(i) : i);
            ids.add(id);
            toSend.add(id);
            if (simulation.choices().oneIn(simulation.isWithReplays() ? 4 : 10)) {
                poison.add(id);
            } else if (simulation.happens(Fault.KILLERS)) {
                killers.add(id);
            } else if (simulation.happens(Fault.UNREADABLE)) {
                unreadable.add(id);
            }
        }
        int sent = simulation.choices().below(records);
        for (int i = 0; i < records - sent; i++) {
            send();
        }
    }

    Set<String> ids() {
        return ids;
    }

    boolean isPoison(String id) {
        return poison.contains(id) && !simulation.operator().isMended();
    }

    boolean isKiller(String id) {
        return killers.contains(id);
    }

    /** Returns whether no deserializer can read the record. Its id stands in a header. */
    boolean isUnreadable(String id) {
        return unreadable.contains(id) && !simulation.operator().isMended();
    }

    /** Returns the key of a message, where the order of keys is kept. */
    static String keyOf(String id) {
        return "k" + Integer.parseInt(id.substring(1)) % KEYS;
    }

    boolean isDone() {
        return toSend.isEmpty();
    }

    /** Sends the next record, sometimes. */
    void maySend() {
        if (!toSend.isEmpty() && simulation.choices().below(4) == 0) {
            send();
        }
    }

    /** Copies take any partition. */
    private void send() {
        String id = toSend.poll();
        if (id != null) {
            log.append(simulation.choices().below(log.partitions()), id);
            if (toSend.isEmpty() && simulation.choices().oneIn(4)) {
                log.appendMarker(0);
            }
        }
    }
}
