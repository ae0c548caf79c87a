/** Tests of the endpoint that need no web server; those over HTTP are in a module of their own. */
@NullMarked
package io.idempotency.spring.endpoint;

import org.jspecify.annotations.NullMarked;
