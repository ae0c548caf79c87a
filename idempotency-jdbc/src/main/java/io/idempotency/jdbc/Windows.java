package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The windows of a store, read when a partition is met first, and kept within a bound. Thread-safe. */
final class Windows {

    private static final Logger LOG = LoggerFactory.getLogger(JournalStore.class);
    /** A window that no claim came to for so long belongs to a partition that somebody else has by now. */
    private static final Duration IDLE = Duration.ofMinutes(10);

    private static final int APPENDS_PER_LOOK = 256;
    private static final int READINGS = 3;

    private final MessageTable table;
    private final JournalStore.Settings settings;
    private final Map<Place, Window> windows = new ConcurrentHashMap<>();
    private final Map<JournalKey, Place> places = new ConcurrentHashMap<>();
    private volatile Clock clock = new Clock(0, 0);
    private final AtomicInteger looks = new AtomicInteger();

    private record Place(String consumer, String stream, int partition) {

        boolean isOf(Delivery delivery) {
            Position position = delivery.position();
            return partition == position.partition()
                    && stream.equals(position.stream())
                    && consumer.equals(delivery.id().consumer());
        }

        static Place of(Delivery delivery) {
            Position position = delivery.position();
            if (position.equals(Position.UNKNOWN)) {
                throw new IdempotencyException("A journal remembers by partition and offset, and " + delivery
                        + " has none: use a TableStore for such messages");
            }
            return new Place(delivery.id().consumer(), position.stream(), position.partition());
        }
    }

    /** The database's clock, as it was when this process's was so far. */
    private record Clock(long micros, long nanos) {

        long now() {
            return micros + (System.nanoTime() - nanos) / 1000;
        }
    }

    Windows(MessageTable table, JournalStore.Settings settings) {
        this.table = table;
        this.settings = settings;
    }

    /** Returns the time of the database, from the last statement on that told it. */
    long now() {
        return clock.now();
    }

    void tellTime(long micros) {
        clock = new Clock(micros, System.nanoTime());
    }

    /** Returns whether every partition has its window. */
    boolean areLoaded(List<Delivery> deliveries) {
        Place last = null;
        for (Delivery delivery : deliveries) {
            if (last == null || !last.isOf(delivery)) {
                last = Place.of(delivery);
                if (!windows.containsKey(last)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Groups the deliveries by partition. What has no window yet gets one in the running transaction. */
    List<Part> parts(Connection connection, ActiveTransaction active, List<Delivery> deliveries) throws SQLException {
        Map<Place, Part> parts = new HashMap<>();
        Place last = null;
        Part part = null;
        for (int i = 0; i < deliveries.size(); i++) {
            Delivery delivery = deliveries.get(i);
            if (part == null || last == null || !last.isOf(delivery)) {
                last = Place.of(delivery);
                part = parts.get(last);
                if (part == null) {
                    part = new Part(of(connection, last, active), settings.unjudged());
                    parts.put(last, part);
                }
            }
            part.add(i, delivery);
        }
        boundMemory();
        return new ArrayList<>(parts.values());
    }

    /** Returns the window of a delivery's partition. */
    Window of(Connection connection, Delivery delivery, ActiveTransaction active) throws SQLException {
        return of(connection, Place.of(delivery), active);
    }

    private Window of(Connection connection, Place place, ActiveTransaction active) throws SQLException {
        Window window = active.windows().get(place);
        if (window == null) {
            window = windows.get(place);
            window = window == null ? ofNew(connection, place, active) : window;
            active.windows().put(place, window);
            window.used();
        }
        return window;
    }

    private Window ofNew(Connection connection, Place place, ActiveTransaction active) throws SQLException {
        JournalKey key = key(connection, place, active.proposedNames());
        List<Head> heads = table.journals(connection).heads(connection, List.of(key), false);
        if (!heads.isEmpty()) {
            return load(connection, place, key);
        }
        table.journals(connection).create(connection, key);
        Window window = new Window(head(connection, key), settings.retentionMicros());
        active.afterCommit(() -> keep(place, window));
        return window;
    }

    /** Creates the heads of the journals that are not there, to be committed at once. */
    void create(Connection connection, List<Delivery> deliveries, Map<String, Integer> proposed) throws SQLException {
        for (Place place : distinct(deliveries)) {
            JournalKey key = key(connection, place, proposed);
            if (table.journals(connection)
                    .heads(connection, List.of(key), false)
                    .isEmpty()) {
                table.journals(connection).create(connection, key);
            }
        }
    }

    private Window keep(Place place, Window window) {
        places.put(window.key(), place);
        Window other = windows.putIfAbsent(place, window);
        return other == null ? window : other;
    }

    void load(Connection connection, List<Delivery> deliveries) throws SQLException {
        for (Place place : distinct(deliveries)) {
            if (!windows.containsKey(place)) {
                load(connection, place, key(connection, place, new HashMap<>()));
            }
        }
        boundMemory();
    }

    private static Set<Place> distinct(List<Delivery> deliveries) {
        Set<Place> places = new LinkedHashSet<>();
        deliveries.forEach(delivery -> places.add(Place.of(delivery)));
        return places;
    }

    private JournalKey key(Connection connection, Place place, Map<String, Integer> proposed) throws SQLException {
        Map<String, Integer> numbers = table.numbers(connection, Set.of(place.consumer(), place.stream()), proposed);
        Integer consumer = numbers.get(place.consumer());
        if (consumer == null) {
            throw new IllegalStateException("No number for " + place.consumer());
        }
        return new JournalKey(consumer, Names.place(new Position(place.stream(), place.partition(), 0), numbers));
    }

    /** Reads a journal from its horizon to its head. The purge may delete what is about to be read: then it is read again. */
    private Window load(Connection connection, Place place, JournalKey key) throws SQLException {
        for (int reading = 0; reading < READINGS; reading++) {
            Head head = head(connection, key);
            Window window = new Window(head, settings.retentionMicros());
            long began = System.nanoTime();
            table.journals(connection)
                    .read(connection, key, head.horizonVersion() + 1, head.version(), false, segment -> {
                        if (segment.tip().version() == window.tip().version() + 1) {
                            window.add(segment);
                        }
                    });
            if (window.tip().equals(head.tip())) {
                tellTime(table.now(connection));
                LOG.info(
                        "Read the journal of {} for {}-{}: {} messages, {} MB, in {} ms",
                        place.consumer(),
                        place.stream(),
                        place.partition(),
                        window.size(),
                        window.bytes() >> 20,
                        (System.nanoTime() - began) / 1_000_000);
                return keep(place, window);
            }
        }
        throw new TransientStoreException("The journal of " + place + " changed while it was read; run it again");
    }

    private Head head(Connection connection, JournalKey key) throws SQLException {
        List<Head> heads = table.journals(connection).heads(connection, List.of(key), false);
        if (heads.isEmpty()) {
            throw new TransientStoreException(
                    "The journal " + key + " was created by another transaction; run it again");
        }
        return heads.get(0);
    }

    /** Returns whether nobody looked for so long whether a journal has gone on that an entry which was forgotten elsewhere may be missed. */
    boolean areOld(List<Part> parts) {
        long now = System.nanoTime();
        return parts.stream()
                .anyMatch(part -> now - part.window().checkedNanos()
                        > settings.revalidation().toNanos());
    }

    /** Lets a window know what is behind it, up to the head. */
    void catchUp(Connection connection, Window window, Head head, boolean isLocked) throws SQLException {
        Tip known = window.tip();
        if (!head.isAt(known)) {
            List<Segment> missing = new ArrayList<>();
            boolean isThere = known.version() > head.horizonVersion();
            table.journals(connection)
                    .read(
                            connection,
                            head.key(),
                            isThere ? known.version() : known.version() + 1,
                            head.version(),
                            isLocked,
                            missing::add);
            Tip last = Tip.NONE;
            if (isThere && !missing.isEmpty()) {
                last = missing.remove(0).tip();
            }
            boolean isSameHistory = isThere ? last.equals(known) : known.version() == 0 && head.horizonVersion() == 0;
            if (!isSameHistory || head.version() < known.version()) {
                drop(window);
                throw new TransientStoreException("The journal of " + window
                        + " is another one than was known, so it is read anew: it was purged in between, or the database"
                        + " has lost commits; run it again");
            }
            requireNoGap(known, missing, head);
            window.add(known, missing);
        }
        raiseHorizon(head);
        window.checked();
    }

    private static void requireNoGap(Tip known, List<Segment> missing, Head head) {
        long version = known.version();
        for (Segment segment : missing) {
            if (segment.tip().version() != ++version) {
                break;
            }
        }
        Tip last = missing.isEmpty() ? known : missing.get(missing.size() - 1).tip();
        if (version != head.version() || !head.isAt(last)) {
            throw new TransientStoreException("This transaction cannot see all of the journal " + head.key()
                    + " up to version " + head.version() + "; run it again in a new one");
        }
    }

    void raiseHorizon(Head head) {
        Place place = places.get(head.key());
        Window window = place == null ? null : windows.get(place);
        if (window != null) {
            window.raiseHorizon(head.horizonVersion(), head.horizonOffset());
        }
    }

    /** Reads the journal anew when it is met next. */
    void drop(Window window) {
        windows.values().remove(window);
    }

    void dropAll() {
        windows.clear();
    }

    long bytes() {
        return windows.values().stream().mapToLong(Window::bytes).sum();
    }

    private void boundMemory() {
        if (looks.getAndIncrement() % APPENDS_PER_LOOK != 0 || bytes() <= settings.memoryBytes()) {
            return;
        }
        long idleSince = System.nanoTime() - IDLE.toNanos();
        windows.values().stream()
                .filter(window -> window.usedNanos() < idleSince)
                .sorted(Comparator.comparingLong(Window::usedNanos))
                .forEach(this::drop);
        while (bytes() > settings.memoryBytes()) {
            if (!settings.isRaisingHorizon()) {
                throw new IdempotencyException("The journals need " + (bytes() >> 20) + " MB of memory and may take "
                        + (settings.memoryBytes() >> 20)
                        + " MB: allow more by JournalStore.Builder.memory(..), remember for a shorter time, let it forget"
                        + " earlier by raiseHorizonIfFull(), or use a TableStore");
            }
            Window largest = windows.values().stream()
                    .max(Comparator.comparingLong(Window::bytes))
                    .orElseThrow();
            int forgotten = largest.forgetOldest();
            LOG.warn(
                    "The journals need more than {} MB of memory: the oldest {} messages of {} are forgotten before their time",
                    settings.memoryBytes() >> 20,
                    forgotten,
                    largest);
            if (forgotten == 0) {
                return;
            }
        }
    }
}
