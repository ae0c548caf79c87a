package io.idempotency.samples.api;

import java.util.UUID;

/** The answer to a payment. */
record Receipt(UUID id, String customer, long cents) {}
