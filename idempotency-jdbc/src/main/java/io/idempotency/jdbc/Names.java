package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.StoredId;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Gives numbers to the names of consumers and streams. Each name is stored once; rows hold its number.
 *
 * <p>The hash of a new name proposes its number. If {@link TableStore#prepare} was called, the number is stored before the first claim, otherwise by the
 * last statement before the commit. So transactions that meet a new name at the same time hardly wait for each other, and none commits without
 * storing its names. If two names propose one number, the second transaction fails transiently, and takes the next number in its next run.
 *
 * <p>A number is kept in memory once a query has found it, because then it is committed. Thread-safe.
 */
final class Names {

    /** The place of a message without a position. */
    static final long UNKNOWN_PLACE = -1;

    private final Map<String, Integer> numbers = new ConcurrentHashMap<>();
    private final Map<Integer, String> names = new ConcurrentHashMap<>();
    private final String select;
    private final String selectName;
    private volatile Waiting waiting = new Waiting("");

    Names(Tables tables) {
        this.select = tables.fill(SELECT);
        this.selectName = tables.fill(SELECT_NAME);
    }

    /** Sets how the wait of queries for the table is bounded. */
    void waiting(Waiting bound) {
        waiting = bound;
    }

    /** Returns the place of a position, which is a partition of a stream: the number of the stream in the upper half, the partition in the lower. */
    static long place(Position position, Map<String, Integer> numbers) {
        Integer stream = numbers.get(position.stream());
        return stream == null ? UNKNOWN_PLACE : (long) stream << 32 | position.partition();
    }

    /** Returns whether two deliveries have the same consumer, stream and partition. */
    static boolean areOfOnePlace(Delivery one, Delivery other) {
        return one.position().partition() == other.position().partition()
                && one.position().stream().equals(other.position().stream())
                && one.id().consumer().equals(other.id().consumer());
    }

    /**
     * Returns the numbers of the names, perhaps with those of others.
     *
     * @param proposed the numbers that the running transaction must {@link #store} before it commits; this method adds new ones
     */
    Map<String, Integer> numbers(Connection connection, Set<String> wanted, Map<String, Integer> proposed)
            throws SQLException {
        if (proposed.isEmpty() && areKnown(wanted)) {
            return Collections.unmodifiableMap(numbers);
        }
        Map<String, Integer> found = new HashMap<>();
        for (String name : new TreeSet<>(wanted)) {
            Integer number = find(connection, name, proposed);
            if (number == null) {
                number = propose(connection, name, proposed);
                proposed.put(name, number);
            }
            found.put(name, number);
        }
        return found;
    }

    /** Returns whether the numbers of these names are in memory. */
    boolean areKnown(Set<String> wanted) {
        return numbers.keySet().containsAll(wanted);
    }

    /** Returns the number of a name, or null if it has none yet. */
    @Nullable
    Integer find(Connection connection, String name, Map<String, Integer> proposed) throws SQLException {
        // What this transaction proposed comes first: it may have stored rows under that number.
        Integer known = proposed.containsKey(name) ? proposed.get(name) : numbers.get(name);
        if (known != null) {
            return known;
        }
        Integer number = select(connection, name);
        if (number != null) {
            numbers.put(name, number);
            names.put(number, name);
        }
        return number;
    }

    /** Stores the proposed numbers, right before the proof and the commit. */
    void store(Connection connection, Dialect dialect, Map<String, Integer> proposed) throws SQLException {
        for (String name : new TreeSet<>(proposed.keySet())) {
            Integer number = proposed.get(name);
            if (number != null && !dialect.insertName(connection, number, name)) {
                throw new TransientStoreException("Another transaction has just given the number of the name \"" + name
                        + "\" to another name; run it again");
            }
        }
    }

    /** Returns the position in a row. */
    Position position(Connection connection, long place, long offset, Map<String, Integer> proposed)
            throws SQLException {
        if (place == UNKNOWN_PLACE) {
            return Position.UNKNOWN;
        }
        int number = (int) (place >>> 32);
        return new Position(stream(connection, number, proposed), (int) place, MessageArrival.offset(offset));
    }

    private String stream(Connection connection, int number, Map<String, Integer> proposed) throws SQLException {
        String known = names.get(number);
        if (known != null) {
            return known;
        }
        for (Map.Entry<String, Integer> each : proposed.entrySet()) {
            if (each.getValue() == number) {
                return each.getKey();
            }
        }
        String name = selectName(connection, number);
        if (name == null) {
            throw new TransientStoreException(
                    "The stream number " + number + " is newer than the snapshot of this transaction");
        }
        return name;
    }

    /** Returns the first free number from the name's hash on, or the number of the name if it was stored meanwhile. */
    private int propose(Connection connection, String name, Map<String, Integer> proposed) throws SQLException {
        int number = (int) (StoredId.hash(name).getMostSignificantBits() >>> 33);
        while (number == 0 || proposed.containsValue(number) || !isFree(number, name, connection)) {
            number = number == Integer.MAX_VALUE ? 1 : number + 1;
        }
        return number;
    }

    private boolean isFree(int number, String name, Connection connection) throws SQLException {
        String owner = selectName(connection, number);
        return owner == null || owner.equals(name);
    }

    private static final String SELECT = "select id, name from ${tables}name where name = ?";

    private @Nullable Integer select(Connection connection, String name) throws SQLException {
        // Another thread may learn the dialect between the two steps.
        Waiting bound = waiting;
        try (PreparedStatement statement = connection.prepareStatement(bound.bounded(select))) {
            statement.setString(1, name);
            try (ResultSet result = bound.run(statement)) {
                if (!result.next()) {
                    return null;
                }
                requireSame(name, result.getString(2));
                return result.getInt(1);
            }
        }
    }

    private static final String SELECT_NAME = "select name from ${tables}name where id = ?";

    private @Nullable String selectName(Connection connection, int number) throws SQLException {
        // Another thread may learn the dialect between the two steps.
        Waiting bound = waiting;
        try (PreparedStatement statement = connection.prepareStatement(bound.bounded(selectName))) {
            statement.setInt(1, number);
            try (ResultSet result = bound.run(statement)) {
                return result.next() ? result.getString(1) : null;
            }
        }
    }

    private static void requireSame(String asked, String stored) {
        if (!asked.equals(stored)) {
            throw new IdempotencyException("The database takes \"" + asked + "\" and \"" + stored
                    + "\" for the same name: the column name must have a binary collation, as in Schema.script()");
        }
    }
}
