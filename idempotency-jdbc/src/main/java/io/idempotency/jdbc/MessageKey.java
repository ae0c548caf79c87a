package io.idempotency.jdbc;

import io.idempotency.store.StoredId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

/**
 * The primary key of a message: the number of its consumer and the 128 bits of its id. Keys are ordered as in the databases: byte by byte,
 * unsigned.
 */
record MessageKey(int consumer, UUID id) implements Comparable<MessageKey> {

    /** Reads an id: some drivers return its bytes, PostgreSQL's a UUID. */
    static UUID id(ResultSet row, int column) throws SQLException {
        return row.getObject(column) instanceof UUID id ? id : StoredId.fromBytes(row.getBytes(column));
    }

    @Override
    public int compareTo(MessageKey other) {
        int order = Integer.compare(consumer, other.consumer);
        order = order != 0
                ? order
                : Long.compareUnsigned(id.getMostSignificantBits(), other.id.getMostSignificantBits());
        return order != 0
                ? order
                : Long.compareUnsigned(id.getLeastSignificantBits(), other.id.getLeastSignificantBits());
    }
}
