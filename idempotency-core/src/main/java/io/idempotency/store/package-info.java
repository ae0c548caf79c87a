/** Messages, claims, leases and quarantined messages, and the contracts of the stores that keep them. */
@NullMarked
package io.idempotency.store;

import org.jspecify.annotations.NullMarked;
