/** A demonstration: services under crashes and retries, with a comparison of what was ordered and what was posted. */
@NullMarked
package io.idempotency.samples.services;

import org.jspecify.annotations.NullMarked;
