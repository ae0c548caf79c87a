/** A service that notifies customers of their payments. */
@NullMarked
package io.idempotency.samples.notifications;

import org.jspecify.annotations.NullMarked;
