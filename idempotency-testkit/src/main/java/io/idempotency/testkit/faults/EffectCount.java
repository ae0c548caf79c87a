package io.idempotency.testkit.faults;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Counts effects: one number for all, or one for each key. */
interface EffectCount {

    /** The key of a count that has none. */
    String ALL = "";

    Map<String, BigDecimal> count();

    static EffectCount of(LongSupplier function) {
        return () -> Map.of(ALL, BigDecimal.valueOf(function.getAsLong()));
    }

    /** Counts by a query with one number, or with rows of a key and a number. */
    static EffectCount of(String query, Supplier<DataSource> dataSource) {
        return () -> {
            try (Connection connection = dataSource.get().getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery(query)) {
                return read(query, rows);
            } catch (SQLException e) {
                throw new MisuseException("The query of the effects failed: " + query + " (" + e.getMessage() + ")", e);
            }
        };
    }

    private static Map<String, BigDecimal> read(String query, ResultSet rows) throws SQLException {
        int columns = rows.getMetaData().getColumnCount();
        Map<String, BigDecimal> counts = new TreeMap<>();
        while (rows.next()) {
            String key = columns == 1 ? ALL : String.valueOf(rows.getString(1));
            if (columns > 2 || counts.containsKey(key)) {
                throw new MisuseException(
                        "The query of the effects has to return one number, or rows of a key and a number: " + query);
            }
            counts.put(key, number(query, rows.getString(columns)));
        }
        return counts;
    }

    private static BigDecimal number(String query, @Nullable String value) {
        try {
            return value == null ? BigDecimal.ZERO : new BigDecimal(value);
        } catch (NumberFormatException e) {
            throw new MisuseException(
                    "The query of the effects returns '" + value + "' where a number is expected: " + query, e);
        }
    }

    /** Returns what has changed: the difference of each key that has one. */
    static Map<String, BigDecimal> change(Map<String, BigDecimal> before, Map<String, BigDecimal> after) {
        Map<String, BigDecimal> change = new TreeMap<>(after);
        before.forEach((key, count) -> change.merge(key, count.negate(), BigDecimal::add));
        change.values().removeIf(count -> count.signum() == 0);
        return change;
    }
}
