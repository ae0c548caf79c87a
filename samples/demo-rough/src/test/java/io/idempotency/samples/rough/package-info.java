/** Tests of the demonstration. */
@NullMarked
package io.idempotency.samples.rough;

import org.jspecify.annotations.NullMarked;
