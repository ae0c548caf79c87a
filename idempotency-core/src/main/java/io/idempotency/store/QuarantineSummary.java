package io.idempotency.store;

import java.time.Instant;
import java.util.Optional;

/**
 * A quarantined message without its bytes and without the text of its failure.
 *
 * @param delivery the message and its position
 * @param firstAt when it was quarantined first, by the store's clock
 * @param at when it was saved last, by the store's clock
 * @param failureType class name of the exception
 * @param failureGroup as {@link QuarantineFailure#group()}
 * @param attempts how often its handler was started
 * @param isBehind whether its handler was not started, because an earlier message of its key is in quarantine
 * @param replay the running replay that it belongs to
 */
public record QuarantineSummary(
        Delivery delivery,
        Instant firstAt,
        Instant at,
        String failureType,
        String failureGroup,
        int attempts,
        boolean isBehind,
        Optional<String> replay) {}
