/** A service that has customers told of their payments. */
@NullMarked
package io.idempotency.samples.notifications;

import org.jspecify.annotations.NullMarked;
