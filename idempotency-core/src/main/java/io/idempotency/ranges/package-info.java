/** Runs of records that are written to a sink without transactions: each is recorded before it is written, and written again exactly as it was recorded. */
@NullMarked
package io.idempotency.ranges;

import org.jspecify.annotations.NullMarked;
