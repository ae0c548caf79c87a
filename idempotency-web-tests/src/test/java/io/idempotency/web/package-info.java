/** What the starter shows over HTTP: endpoint, console and meters, with Spring Security and in a browser. */
@NullMarked
package io.idempotency.web;

import org.jspecify.annotations.NullMarked;
