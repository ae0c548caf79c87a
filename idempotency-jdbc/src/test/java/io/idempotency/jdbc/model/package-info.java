/** A model of the journal store, searched exhaustively: whatever interleaving there is within its bounds has been seen. */
@NullMarked
package io.idempotency.jdbc.model;

import org.jspecify.annotations.NullMarked;
