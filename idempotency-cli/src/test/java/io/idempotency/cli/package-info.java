/** Tests of the command line: each command on real databases, called as a user calls it. */
@NullMarked
package io.idempotency.cli;

import org.jspecify.annotations.NullMarked;
