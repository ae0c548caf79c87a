package io.idempotency.samples.rough;

/**
 * Half of an effect, as it stands in the database.
 *
 * @param tx the transaction that wrote it
 * @param isEarly whether the handler made it final, not the library
 * @param part which half
 */
record Effect(String listener, int message, String tx, boolean isEarly, int part) {}
