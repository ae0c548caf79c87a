/** Tests of the flow, on the memory store. */
@NullMarked
package io.idempotency;

import org.jspecify.annotations.NullMarked;
