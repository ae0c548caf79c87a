/** Tests of the demo. */
@NullMarked
package io.idempotency.samples.streams;

import org.jspecify.annotations.NullMarked;
