/** Compares the cost of this library, a consumer without deduplication and other libraries, in one run. */
@NullMarked
package io.idempotency.benchmarks;

import org.jspecify.annotations.NullMarked;
