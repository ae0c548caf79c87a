package io.idempotency.store;

/**
 * A message that failed for good, with everything needed to understand and to replay it.
 *
 * @param delivery the message and its position
 * @param payload its bytes
 * @param failure why: the exception with its causes and stack trace
 * @param attempts how often its handler was started
 */
public record QuarantinedMessage(Delivery delivery, Payload payload, String failure, int attempts) {}
