package io.idempotency;

/**
 * What an operator's verb forgot, or would forget. Duplicate caches of other processes follow within ten seconds.
 *
 * @param messages how many messages
 * @param quarantined how many messages stay, because they are in quarantine: replay or drop them
 */
public record Forgotten(long messages, long quarantined) {}
