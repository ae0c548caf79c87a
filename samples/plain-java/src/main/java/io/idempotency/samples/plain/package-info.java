/** A ledger that posts payments from a topic, without Spring. */
@NullMarked
package io.idempotency.samples.plain;

import org.jspecify.annotations.NullMarked;
