package io.idempotency.jdbc;

import io.idempotency.ranges.Range;
import io.idempotency.ranges.RangeStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import javax.sql.DataSource;

/** Keeps ranges in a table beside those of the stores, on every database. Give it the data source, prefix and schema of the store. Immutable and thread-safe. */
public final class JdbcRanges implements RangeStore {

    private final DataSource dataSource;
    private final Tables tables;
    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final MessageTable messages;

    private JdbcRanges(DataSource dataSource, Tables tables) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.transactions = JdbcTransactions.on(dataSource);
        this.connections = new Connections(transactions);
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
        this.messages = new MessageTable(database, tables);
    }

    /** Returns ranges with the default table names on the data source. Does not connect yet. */
    public static JdbcRanges on(DataSource dataSource) {
        return new JdbcRanges(dataSource, Tables.standard());
    }

    /** Returns ranges whose table names begin with the prefix. */
    public JdbcRanges tablePrefix(String prefix) {
        return new JdbcRanges(dataSource, new Tables(tables.schema(), prefix));
    }

    /** Returns ranges whose tables are in the schema. */
    public JdbcRanges schema(String name) {
        return new JdbcRanges(dataSource, new Tables(name, tables.prefix()));
    }

    private static final String INSERT = """
            insert into ${tables}range (at_micros, place, first_offset, last_offset, consumer, token, included, digest)
            values (${clock}, ?, ?, ?, ?, ?, ?, ?)
            """;

    @Override
    public void open(List<Range> ranges) {
        transactions.requireActive();
        if (ranges.isEmpty()) {
            return;
        }
        connections.joining("record ranges", connection -> {
            ActiveTransaction active = ActiveTransaction.of(database);
            MessageLookup lookup = messages.lookup(
                    connection, ranges.stream().map(JdbcRanges::first).toList(), active.proposedNames());
            if (!active.proposedNames().isEmpty()) {
                active.dependOn(each -> connections.onCurrent("store names", last -> {
                    database.storeNames(last, each.proposedNames());
                    return true;
                }));
            }
            String insert = tables.fill(
                    INSERT.replace("${clock}", database.dialect(connection).stamp(connection)));
            try (PreparedStatement statement = connection.prepareStatement(insert)) {
                for (int i = 0; i < ranges.size(); i++) {
                    MessageKey key = lookup.keys().get(i);
                    set(statement, ranges.get(i), key.consumer(), place(lookup, key));
                    statement.addBatch();
                }
                statement.executeBatch();
            }
            return true;
        });
    }

    /** A delivery with the position and consumer of a range. */
    private static Delivery first(Range range) {
        return new Delivery(
                new MessageId(range.consumer(), range.token()),
                new Position(range.stream(), range.partition(), range.firstOffset()));
    }

    private static long place(MessageLookup lookup, MessageKey key) {
        MessageArrival arrival = lookup.arrivals().get(key);
        if (arrival == null) {
            throw new IllegalStateException("No place for " + key);
        }
        return arrival.place();
    }

    private static void set(PreparedStatement statement, Range range, int consumer, long place) throws SQLException {
        statement.setLong(1, place);
        statement.setLong(2, range.firstOffset());
        statement.setLong(3, range.lastOffset());
        statement.setInt(4, consumer);
        statement.setString(5, range.token());
        statement.setBytes(6, included(range));
        statement.setBytes(7, range.digest());
    }

    /** How offsets are stored: a bit for each one from the first on, or, if they are far apart, eight bytes for each. */
    private static final byte BITS = 0;

    private static final byte LONGS = 1;

    /** Returns the offsets in the shorter form; no bytes if they are consecutive. */
    static byte[] included(Range range) {
        long span = range.lastOffset() - range.firstOffset();
        if (span == range.size() - 1) {
            return new byte[0];
        }
        if (span / Byte.SIZE > (long) range.size() * Long.BYTES) {
            ByteBuffer longs =
                    ByteBuffer.allocate(1 + range.size() * Long.BYTES).put(LONGS);
            for (long offset : range.offsets()) {
                longs.putLong(offset);
            }
            return longs.array();
        }
        BitSet bits = new BitSet();
        for (long offset : range.offsets()) {
            bits.set(Math.toIntExact(offset - range.firstOffset()));
        }
        byte[] bytes = bits.toByteArray();
        return ByteBuffer.allocate(1 + bytes.length).put(BITS).put(bytes).array();
    }

    static long[] offsets(long first, long last, byte[] included) {
        if (included.length == 0) {
            return LongStream.rangeClosed(first, last).toArray();
        }
        ByteBuffer rest = ByteBuffer.wrap(included, 1, included.length - 1).slice();
        if (included[0] == BITS) {
            return BitSet.valueOf(rest).stream().mapToLong(bit -> first + bit).toArray();
        }
        long[] offsets = new long[rest.remaining() / Long.BYTES];
        rest.asLongBuffer().get(offsets);
        return offsets;
    }

    private static final String OPEN = """
            select place, first_offset, last_offset, token, included, digest from ${tables}range
            where consumer = ? order by place, first_offset, token
            """;

    @Override
    public List<Range> open(String consumer) {
        return connections.onCurrent("read ranges", connection -> {
            Integer number = database.consumer(connection, consumer, Map.of());
            return number == null ? List.of() : open(connection, consumer, number);
        });
    }

    private List<Range> open(Connection connection, String consumer, int number) throws SQLException {
        List<Range> open = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(OPEN))) {
            statement.setInt(1, number);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    Position place = database.position(connection, row.getLong(1), 0, Map.of());
                    open.add(new Range(
                            consumer,
                            place.stream(),
                            place.partition(),
                            row.getString(4),
                            offsets(row.getLong(2), row.getLong(3), ResultRows.bytes(row, 5)),
                            row.getBytes(6)));
                }
            }
        }
        return open;
    }

    private static final String DONE = "delete from ${tables}range where consumer = ? and place = ? and token = ?";

    @Override
    public void done(Range range) {
        connections.alone("end a range", connection -> {
            MessageLookup lookup = messages.lookup(connection, List.of(first(range)), new HashMap<>());
            MessageKey key = lookup.keys().get(0);
            try (PreparedStatement statement = connection.prepareStatement(tables.fill(DONE))) {
                statement.setInt(1, key.consumer());
                statement.setLong(2, place(lookup, key));
                statement.setString(3, range.token());
                statement.executeUpdate();
            }
            return true;
        });
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.qualifiedPrefix() + "range";
    }
}
