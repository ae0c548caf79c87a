/** A service that takes payments over HTTP. */
@NullMarked
package io.idempotency.samples.api;

import org.jspecify.annotations.NullMarked;
