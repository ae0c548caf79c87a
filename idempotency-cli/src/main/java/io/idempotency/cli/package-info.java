/** The verbs of operators on the command line. It has no logic of its own: each command calls verbs of the library, and prints what they return. */
@NullMarked
package io.idempotency.cli;

import org.jspecify.annotations.NullMarked;
