/** A demonstration: handlers with the usual mistakes, and a comparison of every message with its effects. */
@NullMarked
package io.idempotency.samples.rough;

import org.jspecify.annotations.NullMarked;
