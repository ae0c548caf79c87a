/** The console: a page for operators on the endpoint {@code idempotency}, served beside it. */
@NullMarked
package io.idempotency.spring.console;

import org.jspecify.annotations.NullMarked;
