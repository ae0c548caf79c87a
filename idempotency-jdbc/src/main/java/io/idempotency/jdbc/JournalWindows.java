package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The windows of a store. It reads a journal when it meets the partition for the first time, and keeps to a memory limit. Thread-safe. */
final class JournalWindows {

    private final StoreDatabase database;
    private final JournalStore.Settings settings;
    private final JournalLoad load;
    private final PartitionCounts partitionCounts;
    private final Retentions retentions;
    private final JournalMemory memory;
    private final Map<JournalPlace, JournalWindow> windows = new ConcurrentHashMap<>();
    private final Map<JournalKey, JournalPlace> places = new ConcurrentHashMap<>();
    private volatile Clock clock = new Clock(0, 0);

    /** A reading of the database's clock, with this process's clock at the same moment. */
    private record Clock(long micros, long nanos) {

        long now() {
            return micros + (System.nanoTime() - nanos) / 1000;
        }
    }

    JournalWindows(
            StoreDatabase database,
            PartitionCounts partitionCounts,
            Retentions retentions,
            JournalStore.Settings settings) {
        this.database = database;
        this.partitionCounts = partitionCounts;
        this.retentions = retentions;
        this.settings = settings;
        this.memory = new JournalMemory(settings, windows, this::drop);
        this.load = new JournalLoad(database, settings, memory);
    }

    /** Returns the time of the database, counted from the last statement that returned it. */
    long now() {
        return clock.now();
    }

    void tellTime(long micros) {
        clock = new Clock(micros, System.nanoTime());
    }

    /** Returns the name of the journal of a delivery. */
    JournalPlace place(Delivery delivery) {
        Position position = delivery.position();
        if (position.equals(Position.UNKNOWN)) {
            throw new IdempotencyException("A journal remembers by partition and offset, but " + delivery
                    + " has none: use a TableStore for such messages");
        }
        return new JournalPlace(
                delivery.id().consumer(), settings.streams().apply(position.stream()), position.partition());
    }

    /** Returns whether every partition has a window. */
    boolean areLoaded(List<Delivery> deliveries) {
        Delivery last = null;
        for (Delivery delivery : deliveries) {
            if (last == null || !Names.areOfOnePlace(last, delivery)) {
                last = delivery;
                if (!windows.containsKey(place(delivery))) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Returns the partitions without a window, each with the number of partitions of its topic. */
    Map<JournalPlace, Integer> absent(List<Delivery> deliveries) {
        Map<JournalPlace, Integer> absent = new LinkedHashMap<>();
        Map<String, Integer> counts = new HashMap<>();
        for (Delivery delivery : deliveries) {
            JournalPlace place = place(delivery);
            if (!windows.containsKey(place)) {
                String topic = delivery.position().stream();
                absent.put(place, counts.computeIfAbsent(topic, settings.partitions()::applyAsInt));
            }
        }
        return absent;
    }

    /** Groups the deliveries by partition. A partition without a window gets one in the running transaction. */
    List<PartitionClaim> parts(Connection connection, ActiveTransaction active, List<Delivery> deliveries)
            throws SQLException {
        Map<JournalPlace, PartitionClaim> parts = new LinkedHashMap<>();
        int end;
        for (int begin = 0; begin < deliveries.size(); begin = end) {
            end = endOfPartition(deliveries, begin);
            JournalPlace place = place(deliveries.get(begin));
            PartitionClaim part = parts.get(place);
            if (part == null) {
                part = new PartitionClaim(of(connection, place, active), settings.unjudged(), end - begin);
                parts.put(place, part);
            }
            for (int i = begin; i < end; i++) {
                part.add(i, deliveries.get(i));
            }
        }
        memory.requireRoom(null, 0);
        return new ArrayList<>(parts.values());
    }

    /** Returns the end of a run of deliveries of one partition. */
    private static int endOfPartition(List<Delivery> deliveries, int begin) {
        int end = begin + 1;
        while (end < deliveries.size() && Names.areOfOnePlace(deliveries.get(begin), deliveries.get(end))) {
            end++;
        }
        return end;
    }

    /** Returns the window of a partition. */
    JournalWindow of(Connection connection, JournalPlace place, ActiveTransaction active) throws SQLException {
        JournalWindow window = JournalTransaction.of(active).windows().get(place);
        if (window == null) {
            window = windows.get(place);
            window = window == null ? ofNew(connection, place, active) : window;
            JournalTransaction.of(active).windows().put(place, window);
            window.use().used();
        }
        return window;
    }

    private JournalWindow ofNew(Connection connection, JournalPlace place, ActiveTransaction active)
            throws SQLException {
        database.requireCommittedReads(connection);
        JournalKey key = key(connection, place, active.proposedNames());
        JournalHead head = head(connection, key);
        if (head != null) {
            JournalOverlay appended = JournalTransaction.of(active).overlay(head);
            return appended == null ? read(connection, place, key) : appended.window();
        }
        database.journals(connection).create(connection, key, 0);
        JournalWindow window = load.ofNew(connection, place, key);
        active.afterCommit(() -> keep(window));
        return window;
    }

    private @Nullable JournalHead head(Connection connection, JournalKey key) throws SQLException {
        List<JournalHead> heads = database.journals(connection).heads(connection, List.of(key), false);
        return heads.isEmpty() ? null : heads.get(0);
    }

    /**
     * Creates the missing heads, in the order of their keys, which is the order of locking. The caller commits at once.
     *
     * @param partitions the number of partitions of each topic
     */
    void create(Connection connection, Map<JournalPlace, Integer> partitions, Map<String, Integer> proposed)
            throws SQLException {
        Map<JournalKey, JournalPlace> sorted = new TreeMap<>();
        for (JournalPlace place : partitions.keySet()) {
            sorted.put(key(connection, place, proposed), place);
        }
        JournalDialect journals = database.journals(connection);
        for (Map.Entry<JournalKey, JournalPlace> each : sorted.entrySet()) {
            JournalKey key = each.getKey();
            int count = partitions.getOrDefault(each.getValue(), 0);
            JournalHead head = head(connection, key);
            partitionCounts.compare(connection, each.getValue(), key, head, count);
            if (head == null) {
                journals.create(connection, key, count);
            }
        }
    }

    /** Reads the journals of partitions that have no window. */
    void load(Connection connection, Set<JournalPlace> all) throws SQLException {
        for (JournalPlace place : all) {
            if (!windows.containsKey(place)) {
                read(connection, place, key(connection, place, new HashMap<>()));
            }
        }
    }

    private JournalWindow read(Connection connection, JournalPlace place, JournalKey key) throws SQLException {
        JournalWindow window = load.read(connection, place, key);
        tellTime(database.now(connection));
        return keep(window);
    }

    private JournalWindow keep(JournalWindow window) {
        retentions.met(window.place().consumer());
        JournalWindow other = windows.putIfAbsent(window.place(), window);
        if (other != null) {
            window.dropped();
            return other;
        }
        places.put(window.key(), window.place());
        return window;
    }

    private JournalKey key(Connection connection, JournalPlace place, Map<String, Integer> proposed)
            throws SQLException {
        Map<String, Integer> numbers = database.numbers(connection, place.names(), proposed);
        Integer consumer = numbers.get(place.consumer());
        if (consumer == null) {
            throw new IllegalStateException("No number for " + place.consumer());
        }
        return new JournalKey(consumer, Names.place(new Position(place.stream(), place.partition(), 0), numbers));
    }

    /** Returns whether the last look at one of the journals is older than the revalidation time. Another process may have forgotten a message since. */
    boolean areOld(List<PartitionClaim> parts) {
        long now = System.nanoTime();
        return parts.stream()
                .anyMatch(part -> now - part.window().use().checkedNanos()
                        > settings.revalidation().toNanos());
    }

    /** Brings a window up to the head. */
    void catchUp(Connection connection, JournalWindow window, JournalHead head, boolean isLocked) throws SQLException {
        if (!load.catchUp(connection, window, head, isLocked)) {
            drop(window);
            throw new TransientStoreException("The journal of " + window
                    + " has changed beyond what this process knows, so it is read anew: its segments were archived or"
                    + " purged meanwhile, or the database has lost commits; run it again");
        }
        raiseHorizon(head);
        window.use().checked();
    }

    /** Takes over what a purge did. A window that is behind keeps what it has: it does not know the messages that the purge carried to the tip. */
    void purged(JournalHead head, JournalDialect.@Nullable Append carried) {
        JournalWindow window = known(head);
        if (carried != null && window != null) {
            window.add(carried.behind(), List.of(carried.content().at(carried.next(), head.at())));
        }
        if (carried == null || (window != null && head.isAt(window.tip()))) {
            raiseHorizon(head);
        }
    }

    private @Nullable JournalWindow known(JournalHead head) {
        JournalPlace place = places.get(head.key());
        return place == null ? null : windows.get(place);
    }

    void raiseHorizon(JournalHead head) {
        JournalWindow window = known(head);
        if (window != null) {
            window.raiseHorizon(head.horizonVersion(), head.horizonOffset());
        }
    }

    /** Drops a window, so that the next claim reads the journal anew. */
    void drop(JournalWindow window) {
        if (windows.remove(window.place(), window)) {
            places.remove(window.key());
        }
        window.dropped();
    }

    void dropAll() {
        windows.values().forEach(this::drop);
    }

    /** Marks a partition as given up: its window is dropped first if memory is needed. */
    void leave(String consumer, String stream, int partition) {
        JournalWindow window =
                windows.get(new JournalPlace(consumer, settings.streams().apply(stream), partition));
        if (window != null) {
            window.use().left();
        }
    }

    long bytes() {
        return memory.bytes();
    }

    /** Returns all windows that are there now. */
    List<JournalWindow> all() {
        return List.copyOf(windows.values());
    }

    JournalLoad load() {
        return load;
    }
}
