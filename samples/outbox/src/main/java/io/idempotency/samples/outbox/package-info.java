/** Messages that leave after the transaction that wants them sent has committed. */
@NullMarked
package io.idempotency.samples.outbox;

import org.jspecify.annotations.NullMarked;
