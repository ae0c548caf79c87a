package io.idempotency.store;

import java.time.Instant;

/**
 * A change of what is remembered, and who made it.
 *
 * @param at when, by the store's clock
 * @param actor who made it
 * @param origin from where: {@code api}, {@code endpoint}, {@code cli} or {@code purge}; at most 20 characters
 * @param verb what was done, such as {@code forget}; at most 20 characters
 * @param consumer the name of the consumer
 * @param messages how many messages were concerned
 * @param subject the id, or the selection in words
 * @param reason why
 */
public record AuditRecord(
        Instant at,
        String actor,
        String origin,
        String verb,
        String consumer,
        long messages,
        String subject,
        String reason) {

    /** Returns the same act with another number of messages and another subject. */
    public AuditRecord with(long newMessages, String newSubject) {
        return new AuditRecord(at, actor, origin, verb, consumer, newMessages, newSubject, reason);
    }
}
