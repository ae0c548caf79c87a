/** Tests of the sample and of the documents. */
@NullMarked
package io.idempotency.samples.plain;

import org.jspecify.annotations.NullMarked;
