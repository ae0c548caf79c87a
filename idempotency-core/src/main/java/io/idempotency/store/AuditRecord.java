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

    private static final int MOST_CHARS_OF_REASON = 1000;

    /**
     * Returns the reason of an act that begins.
     *
     * @throws IdempotencyException if it is blank, too long, or has a NUL
     */
    public static String requireReason(String reason) {
        if (reason.isBlank() || reason.length() > MOST_CHARS_OF_REASON || reason.indexOf(0) >= 0) {
            throw new IdempotencyException("Say why, in 1 to " + MOST_CHARS_OF_REASON
                    + " characters without a NUL: the reason is kept with the act, such as the number of an incident");
        }
        return reason;
    }

    /** Returns the same act with another number of messages and another subject. */
    public AuditRecord with(long newMessages, String newSubject) {
        return new AuditRecord(at, actor, origin, verb, consumer, newMessages, newSubject, reason);
    }
}
