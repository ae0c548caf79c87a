/** A service that takes orders over HTTP. */
@NullMarked
package io.idempotency.samples.orders;

import org.jspecify.annotations.NullMarked;
