@NullMarked
package io.idempotency.samples.api;

import org.jspecify.annotations.NullMarked;
