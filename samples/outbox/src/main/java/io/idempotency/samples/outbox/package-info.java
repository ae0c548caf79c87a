/** Messages that are sent after their transaction has committed. */
@NullMarked
package io.idempotency.samples.outbox;

import org.jspecify.annotations.NullMarked;
