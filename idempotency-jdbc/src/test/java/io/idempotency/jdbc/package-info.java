/** Tests of the table store on real databases. */
@NullMarked
package io.idempotency.jdbc;

import org.jspecify.annotations.NullMarked;
