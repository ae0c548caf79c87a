/** The memory store: messages, leases and quarantined messages kept in this process, for tests and for consumers that need no durability. */
@NullMarked
package io.idempotency.memory;

import org.jspecify.annotations.NullMarked;
