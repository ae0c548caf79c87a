/** Tests of the sample, and of what the documents say. */
@NullMarked
package io.idempotency.samples.plain;

import org.jspecify.annotations.NullMarked;
