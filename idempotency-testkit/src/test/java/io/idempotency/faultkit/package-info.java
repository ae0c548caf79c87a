/** Tests of the fault kit for code without Spring, as a user writes them. */
@NullMarked
package io.idempotency.faultkit;

import org.jspecify.annotations.NullMarked;
