package io.idempotency.samples.rough;

/**
 * Half of an effect, as stored in the database.
 *
 * @param tx the transaction that wrote it
 * @param isEarly whether the handler committed it, not the library
 * @param part which half
 */
record Effect(String listener, int message, String tx, boolean isEarly, int part) {}
