/** Tests of the service. */
@NullMarked
package io.idempotency.samples.payments;

import org.jspecify.annotations.NullMarked;
