package io.idempotency.store;

import java.time.Instant;
import java.util.Optional;

/**
 * A quarantined message as a quarantine keeps it.
 *
 * @param message the message
 * @param generation greater each time the message is saved, and never used twice for one id
 * @param firstAt when it was quarantined first, by the store's clock
 * @param at when it was saved last, by the store's clock
 * @param replay the running replay that it belongs to
 */
public record QuarantineEntry(
        QuarantinedMessage message, long generation, Instant firstAt, Instant at, Optional<String> replay) {}
