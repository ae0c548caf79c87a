/** A loader that is configured, and a demo of it. */
@NullMarked
package io.idempotency.samples.bulk;

import org.jspecify.annotations.NullMarked;
