package io.idempotency;

/**
 * What an operator's verb forgot, or would forget.
 *
 * @param messages how many messages
 * @param quarantined how many messages stay, because they are in quarantine: replay or drop them
 */
public record Forgotten(long messages, long quarantined) {}
