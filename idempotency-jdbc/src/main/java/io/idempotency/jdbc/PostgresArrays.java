package io.idempotency.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.function.Function;

/** Sets arrays as parameters of PostgreSQL's statements. */
final class PostgresArrays {

    /** A UUID and a comma. */
    private static final int UUID_CHARACTERS = 37;

    private PostgresArrays() {}

    /** Sets four parameters from the index on: consumers, ids, offsets and places of the messages. */
    static void setArrivals(PreparedStatement statement, int index, List<MessageArrival> arrivals) throws SQLException {
        // The driver sends arrays of primitives in binary.
        int[] consumers = new int[arrivals.size()];
        StringBuilder ids = new StringBuilder(arrivals.size() * UUID_CHARACTERS + 2);
        long[] offsets = new long[arrivals.size()];
        long[] places = new long[arrivals.size()];
        for (int i = 0; i < consumers.length; i++) {
            MessageArrival arrival = arrivals.get(i);
            consumers[i] = arrival.key().consumer();
            ids.append(i == 0 ? '{' : ',').append(arrival.key().id());
            offsets[i] = arrival.offset();
            places[i] = arrival.place();
        }
        statement.setObject(index, consumers);
        // It would write the same text, character by character. Measured by the contestant table-batch of the benchmark
        // all-new.
        statement.setObject(index + 1, ids.append('}').toString(), Types.OTHER);
        statement.setObject(index + 2, offsets);
        statement.setObject(index + 3, places);
    }

    static <T> Array array(Connection connection, String type, List<T> values, Function<T, ?> element)
            throws SQLException {
        return connection.createArrayOf(type, values.stream().map(element).toArray());
    }
}
