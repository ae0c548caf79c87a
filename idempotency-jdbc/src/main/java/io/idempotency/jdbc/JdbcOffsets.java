package io.idempotency.jdbc;

import io.idempotency.store.OffsetStore;
import io.idempotency.store.Position;
import io.idempotency.store.SettledRun;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;

/**
 * Keeps settled offsets in a table beside those of the stores, on every database, for tables and journals alike. Give it the data source, prefix and schema of
 * the store. Immutable and thread-safe.
 */
public final class JdbcOffsets implements OffsetStore {

    private final DataSource dataSource;
    private final Tables tables;
    private final Connections connections;
    private final StoreDatabase database;
    private final SettledRows rows;

    private JdbcOffsets(DataSource dataSource, Tables tables) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.connections = new Connections(JdbcTransactions.on(dataSource));
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
        this.rows = new SettledRows(tables);
    }

    /** Returns offsets with the default table names on the data source. Does not connect yet. */
    public static JdbcOffsets on(DataSource dataSource) {
        return new JdbcOffsets(dataSource, Tables.standard());
    }

    /** Returns offsets whose table names begin with the prefix. */
    public JdbcOffsets tablePrefix(String prefix) {
        return new JdbcOffsets(dataSource, new Tables(tables.schema(), prefix));
    }

    /** Returns offsets whose tables are in the schema. */
    public JdbcOffsets schema(String name) {
        return new JdbcOffsets(dataSource, new Tables(name, tables.prefix()));
    }

    private static final String RUNS =
            "select place, topic_id, first_offset, next_offset, leader_epoch, token from ${tables}settled where consumer = ?";

    @Override
    public List<SettledRun> runs(String consumer) {
        return connections.onCurrent("read settled offsets", connection -> {
            Integer number = database.consumer(connection, consumer, Map.of());
            return number == null ? List.of() : runs(connection, number);
        });
    }

    private List<SettledRun> runs(Connection connection, int consumer) throws SQLException {
        List<SettledRun> runs = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(RUNS))) {
            statement.setInt(1, consumer);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    Position place = database.position(connection, row.getLong(1), 0, Map.of());
                    runs.add(new SettledRun(
                            place.stream(),
                            place.partition(),
                            row.getString(2),
                            row.getLong(3),
                            row.getLong(4),
                            row.getInt(5),
                            row.getLong(6)));
                }
            }
        }
        return runs;
    }

    @Override
    public List<SettledRun> store(String consumer, List<SettledRun> runs, long token) {
        // In one order, so that two writers do not wait for each other.
        List<SettledRun> sorted = runs.stream()
                .sorted(Comparator.comparing(SettledRun::stream).thenComparing(SettledRun::partition))
                .toList();
        return connections.alone("store settled offsets", connection -> {
            Set<String> wanted = new HashSet<>(Set.of(consumer));
            sorted.forEach(run -> wanted.add(run.stream()));
            Map<String, Integer> proposed = new HashMap<>();
            Map<String, Integer> numbers = database.numbers(connection, wanted, proposed);
            database.storeNames(connection, proposed);
            List<SettledRun> refused = new ArrayList<>();
            for (SettledRun run : sorted) {
                long place = Names.place(new Position(run.stream(), run.partition(), 0), numbers);
                if (!rows.put(connection, database.dialect(connection), number(consumer, numbers), place, run, token)) {
                    refused.add(run);
                }
            }
            return refused;
        });
    }

    private static int number(String consumer, Map<String, Integer> numbers) {
        Integer number = numbers.get(consumer);
        if (number == null) {
            throw new IllegalStateException("No number for the consumer " + consumer);
        }
        return number;
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.qualifiedPrefix() + "settled";
    }
}
