/** The flow: what happens around a handler so that the effect of a message happens once. */
@NullMarked
package io.idempotency;

import org.jspecify.annotations.NullMarked;
