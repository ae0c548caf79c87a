/** What is remembered: messages, claims, leases and quarantined messages, and the stores that keep them. */
@NullMarked
package io.idempotency.store;

import org.jspecify.annotations.NullMarked;
