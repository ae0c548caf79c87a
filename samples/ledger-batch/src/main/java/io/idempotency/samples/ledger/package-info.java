/** A service that posts payments in batches. */
@NullMarked
package io.idempotency.samples.ledger;

import org.jspecify.annotations.NullMarked;
