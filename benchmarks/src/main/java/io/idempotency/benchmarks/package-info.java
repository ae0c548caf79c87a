/** Compares, in one run, what the library costs with a consumer that remembers nothing and with what others use. */
@NullMarked
package io.idempotency.benchmarks;

import org.jspecify.annotations.NullMarked;
