/** Known duplicates in a Caffeine cache. */
@NullMarked
package io.idempotency.cache;

import org.jspecify.annotations.NullMarked;
