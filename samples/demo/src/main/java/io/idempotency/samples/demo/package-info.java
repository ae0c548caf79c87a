/** A demonstration: payments under every kind of duplicate and crash, with a count of what was lost or doubled. */
@NullMarked
package io.idempotency.samples.demo;

import org.jspecify.annotations.NullMarked;
