/**
 * Stores in a relational database: {@link io.idempotency.jdbc.TableStore}, one row per message, and {@link io.idempotency.jdbc.JournalStore}, one row per poll
 * and partition; with their transactions, quarantine, schema and purge.
 */
@NullMarked
package io.idempotency.jdbc;

import org.jspecify.annotations.NullMarked;
