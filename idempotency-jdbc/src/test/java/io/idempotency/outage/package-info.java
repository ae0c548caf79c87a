/** Databases, sessions and processes that fail in mid-run, end to end: a real broker, a real PostgreSQL, and effects that can be counted. */
@NullMarked
package io.idempotency.outage;

import org.jspecify.annotations.NullMarked;
