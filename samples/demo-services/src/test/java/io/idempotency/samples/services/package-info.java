/** Tests of the demonstration. */
@NullMarked
package io.idempotency.samples.services;

import org.jspecify.annotations.NullMarked;
