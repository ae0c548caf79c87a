/** The promises of the levels, by crashing: real processes halt at every point, on a real broker and a real database. */
@NullMarked
package io.idempotency.crash;

import org.jspecify.annotations.NullMarked;
