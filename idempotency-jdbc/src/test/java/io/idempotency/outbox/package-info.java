/** Outboxes on real databases with a real broker. */
@NullMarked
package io.idempotency.outbox;

import org.jspecify.annotations.NullMarked;
