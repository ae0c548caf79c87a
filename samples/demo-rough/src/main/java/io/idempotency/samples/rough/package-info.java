/** A demonstration: handlers that do what ordinary handlers do wrong, and a comparison of every message with its effects. */
@NullMarked
package io.idempotency.samples.rough;

import org.jspecify.annotations.NullMarked;
