/** Tests of the service. */
@NullMarked
package io.idempotency.samples.notifications;

import org.jspecify.annotations.NullMarked;
