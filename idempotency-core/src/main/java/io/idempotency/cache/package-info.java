/** The cache of known duplicates, built on Caffeine. */
@NullMarked
package io.idempotency.cache;

import org.jspecify.annotations.NullMarked;
