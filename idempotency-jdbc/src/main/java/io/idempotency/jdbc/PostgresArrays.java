package io.idempotency.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.Function;

/** Sets arrays as parameters of PostgreSQL's statements. */
final class PostgresArrays {

    private PostgresArrays() {}

    /** Sets four parameters from the index on: consumers, ids, offsets and places of the messages. */
    static void setArrivals(PreparedStatement statement, int index, List<MessageArrival> arrivals) throws SQLException {
        // The driver sends arrays of primitives in binary.
        int[] consumers = new int[arrivals.size()];
        StringJoiner ids = new StringJoiner(",", "{", "}");
        long[] offsets = new long[arrivals.size()];
        long[] places = new long[arrivals.size()];
        for (int i = 0; i < consumers.length; i++) {
            MessageArrival arrival = arrivals.get(i);
            consumers[i] = arrival.key().consumer();
            ids.add(arrival.key().id().toString());
            offsets[i] = arrival.offset();
            places[i] = arrival.place();
        }
        statement.setObject(index, consumers);
        // The driver would send this one as text, too, after a look at each character.
        statement.setObject(index + 1, ids.toString(), Types.OTHER);
        statement.setObject(index + 2, offsets);
        statement.setObject(index + 3, places);
    }

    static <T> Array array(Connection connection, String type, List<T> values, Function<T, ?> element)
            throws SQLException {
        return connection.createArrayOf(type, values.stream().map(element).toArray());
    }
}
