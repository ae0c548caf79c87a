/** Tests of the figures that are computed from measurements. */
@NullMarked
package io.idempotency.benchmarks;

import org.jspecify.annotations.NullMarked;
