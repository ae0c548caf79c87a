/** A test of the service that pays orders. */
@NullMarked
package io.idempotency.samples.payments;

import org.jspecify.annotations.NullMarked;
