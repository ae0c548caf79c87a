/** The store that keeps one row per message in a relational database, its quarantine, its schema and its purge. */
@NullMarked
package io.idempotency.jdbc;

import org.jspecify.annotations.NullMarked;
