package io.idempotency.samples.services;

import java.util.UUID;

/** An order and its amount, sent or posted. */
record Entry(UUID order, long cents) {}
