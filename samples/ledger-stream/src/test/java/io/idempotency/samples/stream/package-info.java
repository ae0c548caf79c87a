/** Tests of the sample. */
@NullMarked
package io.idempotency.samples.stream;

import org.jspecify.annotations.NullMarked;
