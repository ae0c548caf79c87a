package io.idempotency.jdbc;

import io.idempotency.store.MessageId;

/**
 * A row of the query of an adoption.
 *
 * @param atMicros when the message was processed, in microseconds since 1970 UTC; {@link #UNKNOWN} if the row does not say
 * @param text the id as the query returned it
 */
record AdoptedRow(MessageId id, long atMicros, String text) {

    static final long UNKNOWN = Long.MIN_VALUE;
}
