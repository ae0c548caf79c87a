/** The idempotent consumer: it calls a handler so that the effect of each message happens once. */
@NullMarked
package io.idempotency;

import org.jspecify.annotations.NullMarked;
