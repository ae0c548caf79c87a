/** The contracts of stores, as tests for a store's author to inherit, and seeded searches for faults that they miss. */
@NullMarked
package io.idempotency.testkit;

import org.jspecify.annotations.NullMarked;
