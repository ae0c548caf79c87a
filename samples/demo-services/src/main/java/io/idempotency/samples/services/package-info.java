/** A demonstration: services under crashes and retries, with a comparison of orders and postings. */
@NullMarked
package io.idempotency.samples.services;

import org.jspecify.annotations.NullMarked;
