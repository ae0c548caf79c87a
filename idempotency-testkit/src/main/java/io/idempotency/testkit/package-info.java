/** The contracts that every store keeps, as tests that a store's author inherits, and seeded searches for what they miss. */
@NullMarked
package io.idempotency.testkit;

import org.jspecify.annotations.NullMarked;
