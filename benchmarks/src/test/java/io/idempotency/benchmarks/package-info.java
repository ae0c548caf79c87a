/** Tests of what is computed from measurements. */
@NullMarked
package io.idempotency.benchmarks;

import org.jspecify.annotations.NullMarked;
