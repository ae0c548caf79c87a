/** The test of the README, and the application that it tests. */
@NullMarked
package io.idempotency.faultkit.ledger;

import org.jspecify.annotations.NullMarked;
