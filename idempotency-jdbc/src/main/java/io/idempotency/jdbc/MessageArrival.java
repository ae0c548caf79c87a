package io.idempotency.jdbc;

/** A delivery in the numbers of the table: key, offset and place. */
record MessageArrival(MessageKey key, long offset, long place) {}
