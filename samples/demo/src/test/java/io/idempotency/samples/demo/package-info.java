/** Tests of the parts that the demo's verdict rests on. */
@NullMarked
package io.idempotency.samples.demo;

import org.jspecify.annotations.NullMarked;
