package io.idempotency.results;

/**
 * The answer to a message.
 *
 * @param value what the handler returned
 * @param isReplayed whether an earlier call of the handler returned it, so that this message is a duplicate
 */
public record Answer<A>(A value, boolean isReplayed) {}
