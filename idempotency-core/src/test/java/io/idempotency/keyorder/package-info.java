/** A model of the order of keys through quarantine. */
@NullMarked
package io.idempotency.keyorder;

import org.jspecify.annotations.NullMarked;
