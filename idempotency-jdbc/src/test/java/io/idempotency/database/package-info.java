/** Databases in processes of their own: started by the tests, or named by a user. */
@NullMarked
package io.idempotency.database;

import org.jspecify.annotations.NullMarked;
