package io.idempotency.samples.services;

import java.util.UUID;

/** An order and its amount: what was sent, or what was posted. */
record Entry(UUID order, long cents) {}
