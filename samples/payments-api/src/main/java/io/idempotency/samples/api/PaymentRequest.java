package io.idempotency.samples.api;

/**
 * A request as it came.
 *
 * @param key of the client, the same for each copy of the request
 * @param body its JSON
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PaymentRequest(String key, byte[] body) {}
