package io.idempotency.jdbc;

/** A delivery in the numbers of the table: the key of the message, and where it stood. */
record MessageArrival(MessageKey key, long offset, long place) {}
