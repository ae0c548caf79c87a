package io.idempotency.store;

/**
 * A message that failed for good, with all that is needed to understand it and to run it again.
 *
 * @param delivery which message, and where it stood
 * @param payload its bytes
 * @param failure why: the exception with its causes and stack trace
 * @param attempts how often its handler was started
 */
public record QuarantinedMessage(Delivery delivery, Payload payload, String failure, int attempts) {}
