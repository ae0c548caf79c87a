/** The console as a browser sees it. */
@NullMarked
package io.idempotency.web.console;

import org.jspecify.annotations.NullMarked;
