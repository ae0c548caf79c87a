/** Databases in processes of their own: those that the tests start, and the one that a user names. */
@NullMarked
package io.idempotency.database;

import org.jspecify.annotations.NullMarked;
