/** Meters of idempotent consumers, by Micrometer. */
@NullMarked
package io.idempotency.micrometer;

import org.jspecify.annotations.NullMarked;
