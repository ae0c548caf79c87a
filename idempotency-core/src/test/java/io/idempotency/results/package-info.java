@NullMarked
package io.idempotency.results;

import org.jspecify.annotations.NullMarked;
