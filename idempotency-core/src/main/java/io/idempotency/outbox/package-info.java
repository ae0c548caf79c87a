/** Outputs that are stored in the transaction of a handler, and sent to Kafka after its commit. */
@NullMarked
package io.idempotency.outbox;

import org.jspecify.annotations.NullMarked;
