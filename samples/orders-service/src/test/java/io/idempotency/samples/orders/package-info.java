/** Tests of the service. */
@NullMarked
package io.idempotency.samples.orders;

import org.jspecify.annotations.NullMarked;
