/** Tests of the fault kit, with listeners and handlers as users write them. */
@NullMarked
package io.idempotency.faultkit;

import org.jspecify.annotations.NullMarked;
