package io.idempotency.store;

/**
 * Why a message was quarantined.
 *
 * @param type class name of the exception that the handler threw; one that a container only wraps around it does not count
 * @param group at most 20 characters, equal for failures whose innermost exceptions have one type and come from one place
 * @param text the exception with its causes and stack trace
 */
public record QuarantineFailure(String type, String group, String text) {}
