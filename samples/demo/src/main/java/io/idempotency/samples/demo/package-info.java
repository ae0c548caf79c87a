/** A demonstration: payments under every kind of duplicate and crash, with a count of lost and doubled effects. */
@NullMarked
package io.idempotency.samples.demo;

import org.jspecify.annotations.NullMarked;
